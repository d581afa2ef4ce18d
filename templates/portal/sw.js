// Shows what a push message says, and opens the page that it names. Stores nothing, fetches nothing.

const LANGUAGE = "{{ language|escapejs }}";
const CONFIRM = "{{ confirm|escapejs }}";
const UNTITLED = "{{ untitled|escapejs }}";

// A visit's link: its page has the button that confirms. To open a page changes nothing.
const VISIT = /^(\/v\/[^/]+\/)(join\/)?$/;

// An address of this site or none: a message cannot lead elsewhere.
function ours(address) {
  try {
    const url = new URL(address, self.location.origin);
    return url.origin === self.location.origin ? url : null;
  } catch {
    return null;
  }
}

function told(data) {
  try {
    return data?.json() ?? {};
  } catch {
    return {};
  }
}

function show({ title, body, url, tag }) {
  const page = ours(url ?? "/");
  const visit = page && VISIT.exec(page.pathname);
  return self.registration.showNotification(title || UNTITLED, {
    body: body ?? "",
    tag: tag ?? "",
    lang: LANGUAGE,
    data: { url: page?.href ?? null, confirm: visit ? visit[1] : null },
    actions: visit ? [{ action: "confirm", title: CONFIRM }] : [],
  });
}

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("push", (event) => event.waitUntil(show(told(event.data))));
self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  const { url, confirm } = event.notification.data ?? {};
  const page = ours((event.action === "confirm" && confirm) || url || "/");
  if (page) event.waitUntil(self.clients.openWindow(page.href));
});
