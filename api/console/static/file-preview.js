// <file-preview src>: shows what the server sees of the file that is chosen, in the form around it.

const FIRST_BYTES = 64 * 1024;
/** Larger workbooks would be sent twice, and take longer to look at than to import. */
const MOST_WORKBOOK = 32 * 1024 * 1024;
/** Longer files are not hashed here: that takes all of them into memory. */
const MOST_HASHED = 64 * 1024 * 1024;

class FilePreview extends HTMLElement {
  connectedCallback() {
    this.form = this.closest("form");
    this.file = this.form.elements.file;
    this.form.addEventListener("change", (event) => this.follow(event.target));
    this.addEventListener("click", (event) => {
      const button = event.target.closest("[data-set]");
      if (button) this.set(button.dataset.set, button.dataset.value);
      else if (event.target.closest("[data-again]")) this.settle((select) => select.dataset.before);
      else if (event.target.closest("[data-rest]")) this.settle((select) => select.dataset.ignore);
    });
    // After a reload, or on the way back, the browser may have kept the file.
    addEventListener("pageshow", () => this.look());
  }

  /** Looks again when something has changed that the answer depends on. */
  follow(field) {
    this.form.dataset.unsaved = "";
    const isOther = ["file", "type", "encoding"].includes(field.name);
    if (field === this.file) {
      this.replaceChildren();
      this.form.elements.encoding.value = "";
      this.name(field.files[0]?.name.replace(/\.[^.]*$/, "") ?? "");
    } else if (isOther) {
      // What was said of the header was said of another one.
      for (const select of this.querySelectorAll("select")) select.value = "";
    }
    if (isOther || this.contains(field)) this.look();
  }

  /** Fills in a field, as a button in the preview proposes. */
  set(name, value) {
    const field = this.form.elements[name];
    field.value = value;
    const changed = field instanceof RadioNodeList ? [...field].find((each) => each.checked) : field;
    changed?.dispatchEvent(new Event("change", { bubbles: true }));
  }

  /** Says what columns are of which nothing is said yet. */
  settle(choose) {
    for (const select of this.querySelectorAll("select")) select.value ||= choose(select) ?? "";
    this.look();
  }

  async look() {
    this.request?.abort();
    const file = this.file.files[0];
    if (!file) return this.replaceChildren();
    const request = (this.request = new AbortController());
    this.setAttribute("aria-busy", "true");
    if (!this.childElementCount) this.textContent = this.dataset.reading;
    try {
      if (file.size > MOST_WORKBOOK && (await isWorkbook(file))) return this.say(this.dataset.large);
      const answer = await fetch(this.getAttribute("src"), {
        method: "POST",
        body: await this.body(file),
        headers: { "X-Requested-With": "console" },
        signal: request.signal,
      });
      const text = await answer.text();
      if (this.request === request) this.show(answer, text);
      if (this.request !== request || !this.isCutWrongly(file)) return;
      if (file.size > MOST_WORKBOOK) this.say(this.dataset.large);
      else this.look();
    } catch {
      if (this.request === request) this.say(this.dataset.lost);
    }
  }

  /** Notes a file of which the server needs all, as a plugin reads it; tells that it is to be sent. */
  isCutWrongly(file) {
    if (!this.querySelector("[data-whole]") || file === this.whole) return false;
    this.whole = file;
    return true;
  }

  /** The fields, and of a text file the beginning; others can only be read whole. */
  async body(file) {
    const body = new FormData(this.form);
    body.delete("file");
    const isCut = file.size > FIRST_BYTES && file !== this.whole && !(await isWorkbook(file));
    body.set("sha256", isCut ? await this.hash(file) : "");
    body.set("size", file.size);
    body.set("file", isCut ? file.slice(0, FIRST_BYTES) : file, file.name);
    return body;
  }

  /** Tells the server whether it has seen the file; browsers hash only behind TLS or on localhost. */
  async hash(file) {
    if (!crypto.subtle || file.size > MOST_HASHED) return "";
    if (this.hashed?.file !== file) {
      const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", await file.arrayBuffer()));
      this.hashed = { file, text: [...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("") };
    }
    return this.hashed.text;
  }

  show(answer, text) {
    const isSignedOut = answer.status === 401;
    document.getElementById("signed-out").hidden = !isSignedOut;
    if (!answer.ok) return this.say(isSignedOut ? "" : text);
    const focused = this.contains(document.activeElement) ? document.activeElement.id : null;
    this.removeAttribute("aria-busy");
    this.innerHTML = text;
    if (focused !== null) (document.getElementById(focused) ?? this.querySelector("h2"))?.focus();
    document.getElementById("announce").textContent = this.querySelector("[data-announce]").dataset.announce;
    this.name(this.querySelector("[data-name]").dataset.name);
  }

  /** Fills in the import's name, unless it was typed. */
  name(proposed) {
    const field = this.form.elements.name;
    if (field.value === "" || field.value === this.proposed) field.value = proposed;
    this.proposed = proposed;
  }

  say(text) {
    const said = document.createElement("p");
    said.className = "problem";
    said.setAttribute("role", "alert");
    said.textContent = text;
    this.removeAttribute("aria-busy");
    this.replaceChildren(said);
  }
}

/** Workbooks are archives, which begin with the letters PK. */
async function isWorkbook(file) {
  const [first, second] = new Uint8Array(await file.slice(0, 2).arrayBuffer());
  return first === 0x50 && second === 0x4b;
}

customElements.define("file-preview", FilePreview);
