// <file-drop>: fills its file field with what is dropped on the page or pasted into it.

/** Spreadsheets paste tabs; rows of a text with commas have at least a line's end. */
const TABLE = /\t|\n[^\s]/;

class FileDrop extends HTMLElement {
  connectedCallback() {
    this.input = /** @type {HTMLInputElement} */ (this.querySelector("input[type=file]"));
    this.problem = this.querySelector(".problem");
    // In the capturing phase: before the form's listeners, which look at the file.
    this.input.addEventListener("change", () => this.check(), true);
    // After a reload, or on the way back, the browser may have kept the file.
    addEventListener("pageshow", () => this.check());
    // Anywhere on the page: beside the zone, the browser would leave the page for the file.
    addEventListener("dragover", (event) => {
      event.preventDefault();
      this.toggleAttribute("data-over", true);
    });
    addEventListener("dragleave", (event) => event.relatedTarget || this.removeAttribute("data-over"));
    addEventListener("drop", (event) => this.drop(event));
    addEventListener("paste", (event) => this.paste(event));
  }

  drop(event) {
    event.preventDefault();
    this.removeAttribute("data-over");
    const { items, files } = event.dataTransfer;
    if ([...items].some((item) => item.webkitGetAsEntry?.()?.isDirectory)) this.say(this.dataset.folder);
    else if (files.length) this.take(files);
  }

  paste(event) {
    if (event.target.matches?.("input:not([type=file]), textarea")) return;
    const { files } = event.clipboardData;
    const text = event.clipboardData.getData("text/plain");
    if (TABLE.test(text.trim())) {
      const ending = text.includes("\t") ? "tsv" : "csv";
      this.take([new File([text], `${this.dataset.pasted}.${ending}`, { type: "text/plain" })]);
    } else if (files.length) {
      this.take(files);
    } else {
      return;
    }
    event.preventDefault();
  }

  /** Puts a file into the field, as if it had been chosen there. */
  take(files) {
    if (files.length > 1) return this.say(this.dataset.several);
    const refusal = this.refuse(files[0]);
    if (refusal) return this.say(refusal);
    const chosen = new DataTransfer();
    chosen.items.add(files[0]);
    this.input.files = chosen.files;
    this.input.dispatchEvent(new Event("change", { bubbles: true }));
    this.input.focus();
  }

  check() {
    const file = this.input.files[0];
    const refusal = file ? this.refuse(file) : "";
    if (refusal || this.problem.textContent) this.say(refusal);
    // So that the form with another file is another form, which makes another import.
    this.input.form.elements.mark.value = file && !refusal ? `${file.name} ${file.size} ${file.lastModified}` : "";
    if (refusal) this.input.value = "";
  }

  /** @param {File} file */
  refuse(file) {
    const { most, limit, large, empty } = this.dataset;
    if (file.size > Number(most)) return large.replace("{limit}", limit).replace("{name}", () => file.name);
    return file.size ? "" : empty.replace("{name}", () => file.name);
  }

  say(text) {
    this.problem.textContent = text;
    if (text) this.input.setAttribute("aria-invalid", "true");
    else this.input.removeAttribute("aria-invalid");
    document.getElementById("announce").textContent = text;
  }
}

customElements.define("file-drop", FileDrop);
