// A double click on a button sends its form once: creating and trying again have no key of their own.

/** Long enough for a double click, short enough for a second try when an answer does not come. */
const PAUSE = 3000;

addEventListener("submit", (event) => {
  const form = event.target;
  // Scripts that send a form themselves look after that.
  if (event.defaultPrevented || form.method !== "post") return;
  if (form.dataset.sent !== undefined) return event.preventDefault();
  form.dataset.sent = "";
  setTimeout(() => delete form.dataset.sent, PAUSE);
});
