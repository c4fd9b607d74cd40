// Fills in the token of a link such as `/console/sign-in#token=…`, and the visitor's time zone.

/** @type {HTMLFormElement} */
const form = document.querySelector("#sign-in");
form.elements.zone.value = Intl.DateTimeFormat().resolvedOptions().timeZone ?? "";

const token = new URLSearchParams(location.hash.slice(1)).get("token");
if (token) {
  // Out of the address, so that neither the history nor a copied address has it.
  history.replaceState(null, "", location.pathname + location.search);
  form.elements.token.value = token;
  form.requestSubmit();
} else {
  form.elements.token.focus();
}
