// Notifications on this browser: the button asks for permission, and tells the clinic where to.
// Without service workers or push in the browser the words for that case stay.

const section = document.querySelector("[data-push]");
const token = document.querySelector('meta[name="csrf-token"]')?.content ?? "";

const fromText = (text) =>
  Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));

const toText = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer)))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");

function show(...states) {
  for (const part of section.querySelectorAll("[data-push-when]")) {
    part.hidden = !states.includes(part.dataset.pushWhen);
  }
}

async function tell(fields) {
  const answer = await fetch(section.dataset.pushDevice, {
    method: "POST",
    headers: { "X-CSRFToken": token },
    body: new URLSearchParams(fields),
  });
  if (!answer.ok) throw new Error("not taken");
}

async function registration() {
  const { pushWorker, pushScope } = section.dataset;
  await navigator.serviceWorker.register(pushWorker, { scope: pushScope });
  return navigator.serviceWorker.ready;
}

const subscribed = async () =>
  (await navigator.serviceWorker.getRegistration(section.dataset.pushScope))?.pushManager.getSubscription();

// On a device that several people use, the subscription may be somebody else's.
async function isKnown() {
  const subscription = await subscribed();
  if (!subscription) return false;
  return tell({ act: "ask", endpoint: subscription.endpoint }).then(() => true, () => false);
}

async function turnOn() {
  if ((await Notification.requestPermission()) !== "granted") return show("blocked");
  const { pushManager } = await registration();
  const subscription = await pushManager.subscribe({
    userVisibleOnly: true,
    applicationServerKey: fromText(section.dataset.push),
  });
  try {
    await tell({
      act: "on",
      endpoint: subscription.endpoint,
      p256dh: toText(subscription.getKey("p256dh")),
      auth: toText(subscription.getKey("auth")),
    });
  } catch (error) {
    await subscription.unsubscribe();
    throw error;
  }
  return show("on");
}

async function turnOff() {
  const subscription = await subscribed();
  if (subscription) {
    await tell({ act: "off", endpoint: subscription.endpoint });
    await subscription.unsubscribe();
  }
  show("off");
}

async function act(event) {
  try {
    await (event.target.dataset.pushAct === "on" ? turnOn() : turnOff());
  } catch {
    show("failed", event.target.dataset.pushAct === "on" ? "off" : "on");
  }
}

async function begin() {
  if (Notification.permission === "denied") return show("blocked");
  return show((await isKnown()) ? "on" : "off");
}

if (section && window.isSecureContext && "serviceWorker" in navigator && "PushManager" in window) {
  section.querySelectorAll("[data-push-act]").forEach((button) => button.addEventListener("click", act));
  begin();
}
