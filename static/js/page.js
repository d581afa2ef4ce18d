// Every audience: CSRF for htmx, focus on the error summary, one submit per form, no lost errors.

const token = document.querySelector('meta[name="csrf-token"]')?.content;

document.addEventListener("htmx:configRequest", (event) => {
  if (token && event.detail.verb !== "get") {
    event.detail.headers["X-CSRFToken"] = token;
  }
});

function announce(text) {
  const region = document.getElementById("announcer");
  if (region) region.textContent = text;
}

function announceFailure() {
  announce(document.getElementById("announcer")?.dataset.failure ?? "");
}

document.addEventListener("htmx:sendError", announceFailure);
document.addEventListener("htmx:responseError", (event) => {
  if (event.detail.xhr.status === 401) {
    if (document.getElementById("session-over")) return; // js/session.js tells it
    // The session is over: nothing of the patient's may stay on the screen.
    document.body.replaceChildren();
    window.location.reload();
    return;
  }
  announceFailure();
});

function focusErrorSummary(root) {
  root.querySelector("[data-error-summary]")?.focus();
}

focusErrorSummary(document);
// htmx says the same of the whole page once, a moment later, when somebody may be typing already.
document.addEventListener("htmx:load", (event) => {
  if (event.detail.elt !== document.body) focusErrorSummary(event.detail.elt);
});

// The first submit goes through, a second one shortly after does not. The button stays enabled,
// because a disabled button loses its name and value and the keyboard's place. Forms that htmx
// sends arrive here already prevented; a download leaves the page standing, hence the time limit.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "post" || event.defaultPrevented) return;
  if (form.dataset.sent) {
    event.preventDefault();
    return;
  }
  form.dataset.sent = "yes";
  setTimeout(release, 10_000, form);
});

function release(form) {
  delete form.dataset.sent;
}

window.addEventListener("pageshow", () => document.querySelectorAll("form").forEach(release));

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-print]")) window.print();
});
document.querySelectorAll("[data-print]").forEach((button) => {
  button.hidden = false;
});

// What is folded away folds again by Escape, or when something else is wanted.
const UNFOLDED = "details.switcher[open]";

document.addEventListener("keydown", (event) => {
  const unfolded = event.key === "Escape" && document.querySelector(UNFOLDED);
  if (!unfolded) return;
  unfolded.open = false;
  unfolded.querySelector("summary").focus();
  event.preventDefault();
});

for (const kind of ["click", "focusin"]) {
  document.addEventListener(kind, ({ target }) => {
    document.querySelectorAll(UNFOLDED).forEach((unfolded) => {
      if (!unfolded.contains(target)) unfolded.open = false;
    });
  });
}
