// The desk's keyboard: single-key shortcuts where the user wants them, arrows in the finder,
// the side panel's opening and closing, and a quiet poll.

const FINDER_BOX = 'input[type="search"]';
const TYPING = "input, textarea, select, [contenteditable]";

function act(element) {
  if (!element) return false;
  if (element.matches("input")) {
    element.focus();
    element.select();
  } else if (element.matches("dialog")) {
    element.showModal();
  } else {
    element.click();
  }
  return true;
}

// A page says what a key does by data-key; the key does nothing where nothing carries it.
document.addEventListener("keydown", (event) => {
  if (document.body.dataset.shortcuts !== "on") return;
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches(TYPING)) return;
  if (document.querySelector("dialog:modal")) return;
  if (act(document.querySelector(`[data-key="${CSS.escape(event.key)}"]`))) event.preventDefault();
});

document.addEventListener("keydown", (event) => {
  const finder = event.target.closest?.("[data-finder]");
  if (!finder || event.isComposing) return;
  const choices = [...finder.querySelectorAll(".finder-results :is(a, button)")];
  const at = choices.indexOf(document.activeElement);
  const inBox = event.target.matches(FINDER_BOX);
  if (event.key === "ArrowDown" && choices.length > at + 1) {
    choices[at + 1].focus();
  } else if (event.key === "ArrowUp" && at >= 0) {
    (choices[at - 1] ?? finder.querySelector(FINDER_BOX)).focus();
  } else if (event.key === "Enter" && inBox && isFresh(finder) && choices.length > 0) {
    choices[0].click();
  } else {
    return;
  }
  event.preventDefault();
});

// Results answer the text they were asked with; Enter on newer text searches again.
function isFresh(finder) {
  const results = finder.querySelector(".finder-results");
  return results.dataset.query === finder.querySelector(FINDER_BOX).value;
}

document.addEventListener("htmx:afterSwap", (event) => {
  const finder = event.detail.target.closest?.("[data-finder]");
  if (finder) event.detail.target.dataset.query = event.detail.requestConfig.parameters.q;
});

let opener = null;

document.addEventListener("htmx:beforeRequest", (event) => {
  if (event.detail.elt.matches("[data-poll]") && document.hidden) event.preventDefault();
  if (event.detail.target.id === "side-panel" && !event.detail.target.contains(event.detail.elt)) {
    opener = event.detail.elt.id;
  }
});

document.addEventListener("htmx:afterSettle", (event) => {
  const panel = event.detail.target;
  if (panel.id !== "side-panel") return;
  document.getElementById(opener)?.scrollIntoView({ block: "nearest", inline: "nearest" });
  if (panel.contains(document.activeElement)) return;
  (panel.querySelector("[autofocus], [data-error-summary], h2[tabindex]") ?? panel).focus({
    preventScroll: true,
  });
});

function closePanel() {
  const panel = document.getElementById("side-panel");
  if (!panel?.hasChildNodes()) return false;
  const spokenOf = panel.querySelector("[data-entry]")?.dataset.entry;
  panel.replaceChildren();
  const back = [opener, spokenOf].map((id) => document.getElementById(id)).find(Boolean);
  (back ?? document.querySelector('.board-day a[tabindex="0"]'))?.focus();
  return true;
}

// What was done in the panel shows on the board at once, not at the next poll.
document.addEventListener("htmx:afterRequest", (event) => {
  const { elt, requestConfig, successful } = event.detail;
  if (!successful || requestConfig.verb === "get" || elt.closest("[data-finder]")) return;
  const poll = document.querySelector("[data-poll]");
  if (poll) window.htmx.trigger(poll, "refresh");
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || event.defaultPrevented) return;
  if (!document.querySelector("dialog:modal") && closePanel()) event.preventDefault();
});

document.addEventListener("click", (event) => {
  if (event.target.closest("#side-panel [data-close]") && closePanel()) event.preventDefault();
});
