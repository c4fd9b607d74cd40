// <file-upload>: sends the form around it, shows how much has been sent, and can stop.

class FileUpload extends HTMLElement {
  connectedCallback() {
    this.form = this.closest("form");
    this.bar = this.querySelector("progress");
    this.problem = this.querySelector(".problem");
    this.stop = this.querySelector(".sending button");
    this.stop.addEventListener("click", () => this.request.abort());
    // Back, and the same once more, leads to the import that was made.
    for (const [name, value] of Object.entries(history.state ?? {})) this.form.elements[name].value = value;
    this.form.addEventListener("click", (event) => {
      const button = event.target.closest("dialog [data-answer]");
      button?.closest("dialog").close(button.dataset.answer);
    });
    this.form.addEventListener("submit", (event) => this.submit(event));
    addEventListener("beforeunload", (event) => this.isSending && event.preventDefault());
  }

  submit(event) {
    event.preventDefault();
    if (this.isSending) return;
    const question = document.getElementById("same-file");
    if (event.submitter?.value === "run" && question && !this.ask(question, event.submitter)) return;
    this.send(this.body(event.submitter));
  }

  /** Asks before a file runs that has run; true once the answer was yes. */
  ask(question, submitter) {
    if (question.returnValue === "yes") return true;
    question.onclose = () => (question.returnValue === "yes" ? this.form.requestSubmit(submitter) : submitter.focus());
    question.showModal();
    return false;
  }

  /** All fields, and the file behind them: the server begins to read it while it arrives. */
  body(submitter) {
    const body = new FormData(this.form, submitter);
    const file = body.get("file");
    body.delete("file");
    if (document.getElementById("same-file")?.returnValue === "yes") body.set("again", "yes");
    body.set("file", file);
    return body;
  }

  send(body) {
    history.replaceState({ key: body.get("key"), name: body.get("name") }, "");
    const request = (this.request = new XMLHttpRequest());
    request.open("POST", this.form.action);
    request.setRequestHeader("X-Requested-With", "console");
    request.upload.onprogress = (event) => this.progress(event);
    request.onload = () => this.answer(request);
    request.onerror = () => this.end(this.dataset.lost);
    request.onabort = () => this.end(this.dataset.stopped);
    this.begin();
    request.send(body);
  }

  begin() {
    this.isSending = true;
    this.problem.textContent = "";
    this.bar.value = 0;
    for (const button of this.form.querySelectorAll("button[name=then]")) button.disabled = true;
    this.querySelector(".sending").hidden = false;
    this.stop.hidden = false;
    this.stop.focus();
  }

  progress({ loaded, total }) {
    const language = document.documentElement.lang;
    const percent = Math.floor((100 * loaded) / total) / 100;
    const megabytes = { style: "unit", unit: "megabyte", maximumFractionDigits: 1 };
    this.bar.value = loaded / total;
    // After the last byte it may be too late to stop.
    this.stop.hidden = loaded === total;
    this.querySelector(".sending span").textContent =
      loaded === total
        ? this.dataset.checking
        : this.dataset.sending
            .replace("{percent}", percent.toLocaleString(language, { style: "percent" }))
            .replace("{size}", (total / 1e6).toLocaleString(language, megabytes));
  }

  /** @param {XMLHttpRequest} request */
  answer(request) {
    const address = request.getResponseHeader("Location");
    const signedOut = document.getElementById("signed-out");
    signedOut.hidden = request.status !== 401;
    if (!signedOut.hidden) {
      this.end("");
      signedOut.querySelector("a").focus();
    } else if (request.status === 201 && address) {
      this.isSending = false;
      delete this.form.dataset.unsaved;
      location.assign(address);
    } else if (request.getResponseHeader("Content-Type")?.startsWith("text/html")) {
      this.end("");
      this.showProblems(new DOMParser().parseFromString(request.responseText, "text/html"));
    } else {
      this.end(request.responseText || this.dataset.lost);
    }
  }

  end(text) {
    this.isSending = false;
    this.querySelector(".sending").hidden = true;
    for (const button of this.form.querySelectorAll("button[name=then]")) button.disabled = false;
    this.problem.textContent = text;
    if (text) this.form.querySelector("button[name=then]").focus();
  }

  /** Takes over from the answer, which is this page again, what is wrong; the file stays chosen. */
  showProblems(page) {
    const key = page.querySelector("[name=key]");
    if (!key) return this.end(page.querySelector("main")?.innerText.trim() || this.dataset.lost);
    this.form.elements.key.value = key.value;
    for (const said of page.querySelectorAll("form .problem, #problems")) {
      const here = document.getElementById(said.id);
      here.replaceChildren(...said.childNodes);
      if (here.textContent) here.closest("details")?.setAttribute("open", "");
    }
    for (const field of page.querySelectorAll("form [id][aria-describedby]")) {
      const here = document.getElementById(field.id);
      if (field.ariaInvalid) here.setAttribute("aria-invalid", "true");
      else here.removeAttribute("aria-invalid");
    }
    document.querySelector("#problems a")?.focus();
  }
}

customElements.define("file-upload", FileUpload);
