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
    const question = event.submitter?.dataset.ask || form.dataset.ask;
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

  // Every box of a bulk form at once.
  document.addEventListener("change", (event) => {
    if (!event.target.matches("[data-all]")) return;
    for (const box of event.target.closest("form").querySelectorAll("input[name=id]")) box.checked = event.target.checked;
  });

  // <time> shows the moment in the reader's zone when pointed at.
  document.addEventListener("mouseover", (event) => {
    const time = event.target.closest("time[datetime]");
    if (time && !time.title) time.title = new Date(time.dateTime).toLocaleString();
  });

  // Changes carry the session's proof.
  document.addEventListener("htmx:configRequest", (event) => {
    const proof = document.querySelector("meta[name=csrf]");
    if (proof) event.detail.headers["X-CSRF-Token"] = proof.content;
  });
})();
