// A hold's remaining time: the clock is seen, and spoken only at two minutes, one minute and the end.

const SPOKEN_AT = [120, 60, 0];

function clockText(seconds) {
  const two = (count) => String(count).padStart(2, "0");
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60)];
  const rest = two(seconds % 60);
  return hours > 0 ? `${hours}:${two(minutes % 60)}:${rest}` : `${minutes}:${rest}`;
}

function start(countdown) {
  if (countdown.dataset.running) return;
  countdown.dataset.running = "yes";
  // Counted from arrival, not by the wall clock, which may be wrong on the visitor's device.
  const end = performance.now() + Number(countdown.dataset.seconds) * 1000;
  const clock = countdown.querySelector("[data-clock]");
  const voice = countdown.querySelector("[data-voice]");
  let unspoken = SPOKEN_AT.filter((mark) => mark < Number(countdown.dataset.seconds));

  function tick() {
    const left = Math.max(0, Math.ceil((end - performance.now()) / 1000));
    clock.textContent = clockText(left);
    countdown.classList.toggle("is-ending", left <= 120);
    const due = unspoken.filter((mark) => left <= mark);
    if (due.length > 0) {
      voice.textContent = countdown.dataset[`at${Math.min(...due)}`];
      unspoken = unspoken.filter((mark) => left > mark);
    }
    if (left === 0 || !countdown.isConnected) clearInterval(timer);
  }

  const timer = setInterval(tick, 1000);
  clock.parentElement.hidden = false;
  tick();
}

function startAll(root) {
  root.querySelectorAll("[data-seconds]").forEach(start);
}

startAll(document);
document.addEventListener("htmx:load", (event) => startAll(event.detail.elt.parentElement ?? document));
