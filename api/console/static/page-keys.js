// Keys of lists: `/` searches, `n` begins a new one, `j` and `k` move, Enter opens. A button turns
// them off: who dictates would press them by words.

/** @type {HTMLButtonElement | null} */
const button = document.querySelector("#single-keys");
const isOff = () => localStorage.getItem("caseroll-keys") === "off";
const show = () => (button.textContent = isOff() ? button.dataset.on : button.dataset.off);
if (button) {
  button.hidden = false;
  show();
  button.onclick = () => {
    localStorage.setItem("caseroll-keys", isOff() ? "on" : "off");
    show();
  };
}

addEventListener("keydown", (event) => {
  if (isOff() || event.ctrlKey || event.altKey || event.metaKey) return;
  if (event.target.closest("input, textarea, select, [contenteditable], [role=grid], dialog")) return;
  const target = document.querySelector(`[data-key="${CSS.escape(event.key)}"]`);
  if (target) {
    event.preventDefault();
    if (target.matches("input")) target.focus();
    else target.click();
  } else if (event.key === "j" || event.key === "k") {
    move(event.key === "j" ? 1 : -1);
  }
});

/** Moves the focus to the link of the next row; Enter on it opens it as on any link. */
function move(step) {
  const links = [...document.querySelectorAll("[data-keys=rows] tbody tr :is(th, td):first-child a")];
  const now = links.indexOf(document.activeElement?.closest("tr")?.querySelector(":is(th, td):first-child a"));
  const next = now < 0 ? (step > 0 ? 0 : links.length - 1) : now + step;
  links[next]?.focus();
}

// A reader of the screen hears the heading after a change of screen, unless a field has the focus.
if (!location.hash && document.activeElement === document.body) {
  const first = ["[autofocus]", "[role=alert] a", "h1"].map((each) => document.querySelector(each)).find(Boolean);
  first?.focus({ preventScroll: first.matches("h1") });
}
