// The end of a sign-in: warned of in time, put off by one press, and told when it has come.
// The server decides; this page asks it before it warns, because another tab may have been busy.

const SPOKEN_AT = [120, 60, 20];
const dialog = document.getElementById("session-warning");
let end = 0;
let unspoken = SPOKEN_AT;

function since(seconds, canStay) {
  end = Date.now() + seconds * 1000;
  unspoken = SPOKEN_AT.filter((mark) => mark <= seconds);
  dialog.classList.toggle("is-final", !canStay);
}

const left = () => Math.max(0, Math.ceil((end - Date.now()) / 1000));

async function ask(url, options) {
  const answer = await fetch(url, {
    ...options,
    headers: { Accept: "application/json" },
    cache: "no-store",
  });
  if (answer.status === 401) return over();
  if (!answer.ok) throw new Error(`answered ${answer.status}`);
  const told = await answer.json();
  since(told.seconds, told.can_stay);
  return told;
}

// Nothing of the patients' stays on the screen, and the page says why.
function over(entry) {
  const told = document.getElementById("session-over");
  if (!told) return;
  clearInterval(timer);
  const page = told.content.cloneNode(true);
  const link = page.querySelector("a");
  const back = encodeURIComponent(location.pathname + location.search);
  link.href = entry || `${link.getAttribute("href")}?next=${back}`;
  document.title = told.dataset.title;
  document.body.replaceChildren(page);
  document.querySelector("h1").focus();
}

function warn() {
  const clock = dialog.querySelector("[data-clock]");
  clock.textContent = `${Math.floor(left() / 60)}:${String(left() % 60).padStart(2, "0")}`;
  const due = unspoken.filter((mark) => left() <= mark);
  if (due.length > 0) {
    dialog.querySelector("[data-voice]").textContent = dialog.dataset[`at${Math.min(...due)}`];
    unspoken = unspoken.filter((mark) => left() > mark);
  }
  if (!dialog.open) dialog.showModal();
}

let asking = false;

async function tick() {
  if (left() > Number(dialog.dataset.warning)) {
    if (dialog.open) dialog.close();
    return;
  }
  if (asking) return;
  if (!dialog.open || left() === 0) {
    asking = true;
    try {
      await ask(dialog.dataset.state);
    } catch {
      if (left() === 0) over(); // no answer: the screen is cleared all the same
    } finally {
      asking = false;
    }
    if (!dialog.isConnected || left() > Number(dialog.dataset.warning)) return;
  }
  warn();
}

dialog.querySelector("[data-stay]").addEventListener("submit", async (event) => {
  event.preventDefault();
  const form = event.target;
  try {
    await ask(form.action, { method: "POST", body: new FormData(form) });
    dialog.close();
  } catch {
    form.submit();
  }
});

// Escape is a sign of life too: it means the same as the button.
dialog.addEventListener("cancel", (event) => {
  event.preventDefault();
  dialog.querySelector("[data-stay]").requestSubmit();
});

document.addEventListener("visibilitychange", () => {
  if (!document.hidden) tick();
});
window.addEventListener("pageshow", (event) => {
  if (event.persisted) ask(dialog.dataset.state).catch(() => over());
});
document.addEventListener("htmx:responseError", (event) => {
  if (event.detail.xhr.status === 401) over(event.detail.xhr.getResponseHeader("Sign-In-At"));
});

since(Number(dialog.dataset.seconds), dialog.dataset.final !== "yes");
const timer = setInterval(tick, 1000);
