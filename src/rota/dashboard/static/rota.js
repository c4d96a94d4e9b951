// What a page does by itself: the theme, questions before what destroys, and moments in the reader's own words.
(() => {
  "use strict";
  const root = document.documentElement;
  const stored = localStorage.getItem("rota-theme");
  if (stored) root.dataset.theme = stored;

  const isDark = () =>
    root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-theme-switch]");
    if (!button) return;
    root.dataset.theme = isDark() ? "light" : "dark";
    localStorage.setItem("rota-theme", root.dataset.theme);
  });

  // A form or button with data-ask is sent only after the question was answered.
  let asking = null;
  document.addEventListener("submit", (event) => {
    const form = event.target;
    const asked = event.submitter?.dataset.ask ?? form.dataset.ask;
    const chosen = form.querySelectorAll("input[type=checkbox][name]:checked").length;
    const question = asked?.replace("{n}", chosen);
    if (!question || form.dataset.asked) {
      delete form.dataset.asked;
      return;
    }
    event.preventDefault();
    event.stopImmediatePropagation();
    asking = { form, submitter: event.submitter };
    const dialog = document.getElementById("ask");
    dialog.querySelector("[data-question]").textContent = question;
    dialog.showModal();
  }, true);
  document.addEventListener("close", (event) => {
    if (event.target.id !== "ask" || !asking) return;
    const { form, submitter } = asking;
    asking = null;
    if (event.target.returnValue !== "yes") return;
    form.dataset.asked = "1";
    form.requestSubmit(submitter);
  }, true);

  // Boxes of a bulk form: one for all, and the buttons say how many are chosen.
  const count = (form) => {
    const chosen = form.querySelectorAll("input[type=checkbox][name]:checked").length;
    for (const button of form.querySelectorAll("[data-counts]")) {
      button.disabled = chosen === 0;
      button.querySelector("[data-number]").textContent = chosen;
    }
  };
  document.addEventListener("change", (event) => {
    const form = event.target.closest("form[data-bulk]");
    if (!form) return;
    if (event.target.matches("[data-all]"))
      for (const box of form.querySelectorAll("input[type=checkbox][name]")) box.checked = event.target.checked;
    count(form);
  });

  // The menu of small screens.
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-menu]");
    if (button) button.setAttribute("aria-expanded", String(button.getAttribute("aria-expanded") !== "true"));
  });

  // Moments: how far they are stays true while a page is open; pointed at, they show the reader's own time.
  const units = [["d", 86400], ["h", 3600], ["min", 60], ["s", 1]];
  const span = (seconds) => {
    let left = Math.max(1, Math.round(seconds));
    const words = [];
    for (const [unit, size] of units) {
      const number = Math.floor(left / size);
      left %= size;
      if (number) words.push(`${number} ${unit}`);
      else if (words.length) break;
    }
    return words.slice(0, 2).join(" ");
  };
  const refresh = () => {
    for (const time of document.querySelectorAll("time[data-relative]")) {
      const seconds = (Date.parse(time.dateTime) - Date.now()) / 1000;
      time.textContent = seconds > 0 ? `in ${span(seconds)}` : `${span(-seconds)} ago`;
    }
  };
  document.addEventListener("mouseover", (event) => {
    const time = event.target.closest("time[datetime]");
    if (time && !time.title) time.title = new Date(time.dateTime).toLocaleString();
  });

  // A page hears of changes while it is looked at, and asks again for the part that it shows.
  let stream = null;
  const changed = () => {
    if (document.querySelector("dialog[open]")) return;
    for (const part of document.querySelectorAll("[hx-trigger~=changed]")) htmx.trigger(part, "changed");
  };
  const listen = () => {
    const address = document.querySelector("[data-stream]")?.dataset.stream;
    if (!address || stream || document.hidden) return;
    stream = new EventSource(address);
    stream.addEventListener("change", changed);
    stream.addEventListener("open", () => root.dataset.live = "yes");
    stream.addEventListener("error", () => delete root.dataset.live);
  };
  const rest = () => {
    stream?.close();
    stream = null;
    delete root.dataset.live;
  };
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) return rest();
    listen();
    changed();
  });
  addEventListener("pagehide", rest);
  addEventListener("pageshow", (event) => event.persisted && listen());
  document.addEventListener("DOMContentLoaded", () => {
    listen();
    setInterval(() => document.hidden || refresh(), 1000);
    // What a person has opened, chosen or typed stays so when the part around it is renewed.
    if (globalThis.Idiomorph)
      Idiomorph.defaults.callbacks.beforeAttributeUpdated = (name, node) =>
        !(name === "open" && node.tagName === "DETAILS") && !(name === "checked") && !(name === "disabled" && node.dataset.counts !== undefined);
    for (const form of document.querySelectorAll("form[data-bulk]")) count(form);
  });
  document.addEventListener("htmx:afterSwap", () => {
    for (const form of document.querySelectorAll("form[data-bulk]")) count(form);
  });
})();
