// <entity-lookup names="user case">: looks users and cases up while a Tag ID is typed into its field.

let count = 0;

class EntityLookup extends HTMLElement {
  connectedCallback() {
    /** @type {HTMLInputElement | null} */
    this.field = this.querySelector("input");
    if (!this.field || !this.getAttribute("names")) return;
    this.options = document.createElement("datalist");
    this.options.id = `found-${++count}`;
    this.append(this.options);
    this.field.setAttribute("list", this.options.id);
    this.field.addEventListener("input", (event) => {
      clearTimeout(this.timer);
      // An option that was picked is not looked up again.
      if (event.inputType !== undefined && event.inputType !== "insertReplacementText") {
        this.timer = setTimeout(() => this.lookUp(), 150);
      }
    });
  }

  async lookUp() {
    const search = this.field.value.trim();
    if (search.length < 2) return;
    const wanted = new URLSearchParams({ search });
    for (const name of this.getAttribute("names").split(" ")) wanted.append("names", name);
    try {
      const answer = await fetch(`${document.documentElement.dataset.root}/lookup?${wanted}`, {
        headers: { "X-Requested-With": "console" },
      });
      const text = await answer.text();
      if (answer.status === 401) this.askToSignIn();
      // An answer to what was typed before is late.
      else if (answer.ok && search === this.field.value.trim()) this.options.innerHTML = text;
    } catch {
      // Without a connection the field is one without a list; the page says that it is away.
    }
  }

  askToSignIn() {
    if (this.querySelector("[role=alert]")) return;
    const texts = this.closest("[data-signed-out]").dataset;
    const said = document.createElement("p");
    said.setAttribute("role", "alert");
    const link = document.createElement("a");
    link.href = `${document.documentElement.dataset.root}/sign-in`;
    link.target = "_blank";
    link.textContent = texts.signIn;
    said.append(texts.signedOut, " ", link);
    this.append(said);
  }
}

customElements.define("entity-lookup", EntityLookup);
