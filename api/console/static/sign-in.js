// Fills in the token of a link such as `/console/sign-in#token=…`, and the visitor's time zone.

/** @type {HTMLFormElement} */
const form = document.querySelector("#sign-in");
form.elements.zone.value = Intl.DateTimeFormat().resolvedOptions().timeZone ?? "";

// The link may be opened in the tab of this page.
addEventListener("hashchange", () => location.reload());
const token = new URLSearchParams(location.hash.slice(1)).get("token");
if (token) {
  // Neither the history nor a copied address is to have it.
  history.replaceState(null, "", location.pathname + location.search);
  form.elements.token.value = token;
  form.requestSubmit();
} else {
  form.elements.token.focus();
}
