// <copy-text for>: a button that copies what stands in a field, where the browser lets it.

class CopyText extends HTMLElement {
  connectedCallback() {
    // Browsers have no clipboard for pages without TLS, but for those of this machine.
    if (!navigator.clipboard) return;
    const button = this.querySelector("button");
    button.hidden = false;
    button.onclick = async () => {
      const field = document.getElementById(this.getAttribute("for"));
      field.select();
      try {
        await navigator.clipboard.writeText(field.value);
      } catch {
        return; // It may not: the text is selected, for the keys that copy.
      }
      document.getElementById("announce").textContent = button.textContent = this.dataset.copied;
    };
  }
}

customElements.define("copy-text", CopyText);
