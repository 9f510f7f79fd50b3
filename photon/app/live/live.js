// Follows the code of `photon dev`: reloads this page when another process answers, and shows why
// the newest code does not. Only a page that can be seen keeps a connection, as browsers have six
// to a host.
"use strict";
(() => {
  if (window.__photonLive) return;
  window.__photonLive = true;
  const script = document.currentScript;
  let generation = script.dataset.generation;
  const wasSent = "sent" in script.dataset;  // the page answers a form: to load it sends that again
  let source = null, timer = 0, delay = 60, isLeaving = false;

  const key = `photon-scroll:${location.pathname}${location.search}`;
  try {
    const place = JSON.parse(sessionStorage.getItem(key));
    sessionStorage.removeItem(key);
    if (place) addEventListener("load", () => scrollTo({left: place[0], top: place[1], behavior: "instant"}));
  } catch {}

  const reload = () => {
    if (isLeaving) return;
    if (wasSent) {
      show("The code has changed", "Reload this page to see it; the form is sent again then.", false);
      return;
    }
    isLeaving = true;
    try { sessionStorage.setItem(key, JSON.stringify([scrollX, scrollY])); } catch {}
    location.reload();
  };

  const connect = () => {
    clearTimeout(timer);
    if (source || isLeaving || document.visibilityState === "hidden") return;
    source = new EventSource("/__photon__/live");
    source.addEventListener("hello", event => {
      delay = 60;
      const told = JSON.parse(event.data);
      if (told.generation !== generation) reload();
      else if (told.error) show("The newest code does not work", told.error, true);
      else hide();
    });
    source.addEventListener("error-text", event => {
      const text = JSON.parse(event.data).text;
      if (text) show("The newest code does not work", text, true); else hide();
    });
    source.addEventListener("styles", swapStyles);
    source.addEventListener("assets", reload);
    source.onerror = () => {  // our own patience: the browser's is seconds
      disconnect();
      timer = setTimeout(connect, delay);
      delay = Math.min(delay * 1.6, 2000);
    };
  };
  const disconnect = () => {
    clearTimeout(timer);
    if (source) source.close();
    source = null;
  };

  const swapStyles = () => {
    for (const link of document.querySelectorAll('link[rel~="stylesheet"][href]')) {
      const url = new URL(link.href);
      if (url.origin !== location.origin) continue;
      url.searchParams.set("photon-live", Date.now());
      const fresh = link.cloneNode();
      fresh.href = url;
      fresh.onload = fresh.onerror = () => link.remove();  // no moment without any
      link.after(fresh);
    }
  };

  // What is shown above the page. All of it is text, never HTML.
  let box = null;
  const hide = () => { box?.remove(); box = null; };
  const show = (title, text, isError) => {
    hide();
    box = document.createElement("photon-overlay");
    const root = box.attachShadow({mode: "open"});
    const style = new CSSStyleSheet();  // which no policy for style elements forbids
    style.replaceSync(`
      :host { all: initial; position: fixed; inset: auto 0 0 0; z-index: 2147483647; color-scheme: dark; }
      section { font: 15px/1.5 system-ui, "DejaVu Sans", sans-serif; background: #1b1f26; color: #e2e6ec;
        border-top: 4px solid #f0b95c; box-shadow: 0 -8px 40px #0008; max-height: 70vh; overflow: auto; padding: 16px 28px 20px; }
      section.error { border-color: #ff7b81; }
      header { display: flex; align-items: center; gap: 16px; }
      h1 { font-size: 17px; margin: 0; color: #f0b95c; flex: 1; }
      .error h1 { color: #ff7b81; }
      pre { font: 13px/1.5 ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace; white-space: pre-wrap; overflow-wrap: anywhere; margin: 10px 0 6px; }
      p { color: #8d97a6; margin: 6px 0 0; }
      button { font: inherit; font-size: 13px; color: inherit; background: none; border: 1px solid #454d5a; border-radius: 7px; padding: 2px 12px; cursor: pointer; }`);
    root.adoptedStyleSheets = [style];
    const add = (parent, name, content = "") => {
      const element = document.createElement(name);
      element.textContent = content;
      parent.append(element);
      return element;
    };
    const section = add(root, "section");
    section.className = isError ? "error" : "";
    section.setAttribute("role", "alert");
    const header = add(section, "header");
    add(header, "h1", title);
    if (!isError) add(header, "button", "Reload").onclick = () => location.reload();
    add(header, "button", "Hide").onclick = hide;
    add(section, "pre", text);
    if (isError) add(section, "p", "The page behind this is of the code before. This goes away when the code is mended.");
    document.documentElement.append(box);
  };

  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "hidden") disconnect(); else connect();
  });
  addEventListener("pagehide", disconnect);  // a page with a connection is not kept for "back"
  addEventListener("pageshow", event => { if (event.persisted) { isLeaving = false; connect(); } });
  addEventListener("online", connect);
  connect();
})();
