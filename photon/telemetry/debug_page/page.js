"use strict";
{
  const root = document.documentElement;
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const stored = (() => { try { return localStorage.getItem("photon-theme"); } catch { return null; } })();
  if (stored === "light" || stored === "dark") root.classList.add(stored);
  document.getElementById("theme")?.addEventListener("click", () => {
    const is_dark = root.classList.contains("dark") || (!root.classList.contains("light") && dark.matches);
    root.classList.remove("light", "dark");
    root.classList.add(is_dark ? "light" : "dark");
    try { localStorage.setItem("photon-theme", is_dark ? "light" : "dark"); } catch {}
  });
  for (const button of document.querySelectorAll("button.whole")) {
    button.addEventListener("click", () => {
      const all = button.parentElement.classList.toggle("all");
      button.textContent = all ? "fewer lines" : "whole function";
    });
  }
  const copy = document.getElementById("copy");
  copy?.addEventListener("click", async () => {
    const text = document.getElementById("text");
    try {
      await navigator.clipboard.writeText(text.textContent);
    } catch {  // a page that is no secure context has no clipboard
      text.closest("details").open = true;
      getSelection().selectAllChildren(text);
      document.execCommand("copy");
    }
    copy.textContent = "Copied";
    setTimeout(() => { copy.textContent = "Copy as text"; }, 1500);
  });
}
