// <a data-drawer="Close">: shows the page that it leads to beside the present one.

document.addEventListener("click", async (event) => {
  const link = event.target.closest("a[data-drawer]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  const answer = await fetch(link.href).catch(() => undefined);
  // An error, or the page to sign in, is no part of this page.
  if (!answer?.ok || answer.redirected) return location.assign(link.href);
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const drawer = document.createElement("dialog");
  drawer.className = "drawer";
  drawer.ariaLabel = page.title;
  const close = document.createElement("button");
  close.className = "quiet";
  close.textContent = link.dataset.drawer;
  close.onclick = () => drawer.close();
  drawer.append(close, ...page.querySelector("main").childNodes);
  drawer.onclose = () => drawer.remove();
  document.body.append(drawer);
  drawer.showModal();
});
