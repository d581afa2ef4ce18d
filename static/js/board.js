// The day board by arrows: one tab stop, up and down within a provider, left and right across.

const columnsOf = (board) => [...board.querySelectorAll(".board-day")];
const cellsOf = (column) => [...column.querySelectorAll("a")];

function setTabStop(board, cell) {
  board.querySelectorAll(".board-day a").forEach((link) => {
    link.tabIndex = link === cell ? 0 : -1;
  });
}

function nearest(column, top) {
  const distance = (cell) => Math.abs(cell.getBoundingClientRect().top - top);
  return cellsOf(column).reduce(
    (best, cell) => (best && distance(best) <= distance(cell) ? best : cell),
    undefined,
  );
}

function acrossFrom(cell, step) {
  const columns = columnsOf(cell.closest(".board"));
  const top = cell.getBoundingClientRect().top;
  let at = columns.indexOf(cell.closest(".board-day")) + step;
  while (columns[at] && cellsOf(columns[at]).length === 0) at += step;
  return columns[at] && nearest(columns[at], top);
}

function neighbour(cell, key) {
  const cells = cellsOf(cell.closest(".board-day"));
  const at = cells.indexOf(cell);
  const moves = {
    ArrowUp: () => cells[at - 1],
    ArrowDown: () => cells[at + 1],
    ArrowLeft: () => acrossFrom(cell, -1),
    ArrowRight: () => acrossFrom(cell, 1),
    Home: () => cells[0],
    End: () => cells.at(-1),
  };
  return moves[key]?.();
}

document.addEventListener("keydown", (event) => {
  const cell = event.target.closest?.(".board-day a");
  if (!cell || event.ctrlKey || event.metaKey || event.altKey) return;
  const next = neighbour(cell, event.key);
  if (!next) return;
  event.preventDefault();
  next.focus();
});

document.addEventListener("focusin", (event) => {
  const cell = event.target.closest?.(".board-day a");
  if (cell) setTabStop(cell.closest(".board"), cell);
});

function ready() {
  document.querySelectorAll(".board").forEach((board) => {
    const here = board.contains(document.activeElement) ? document.activeElement : null;
    setTabStop(board, here?.matches(".board-day a") ? here : board.querySelector(".board-day a"));
  });
}

function showNow() {
  const scroller = document.querySelector(".board-scroll");
  const now = scroller?.querySelector(".board-hour-list .board-now");
  if (now) scroller.scrollTop = now.offsetTop - scroller.clientHeight / 3;
}

ready();
showNow();
document.addEventListener("htmx:afterSettle", ready);
