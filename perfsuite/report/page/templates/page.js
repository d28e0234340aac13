"use strict";
// A help, no need: without it all variants are there, and browsers open what a link leads to.
(() => {
  const variants = [...document.querySelectorAll("details.variant")];
  const found = document.getElementById("found");
  const filter = document.getElementById("filter");
  const tools = document.getElementById("tools");
  if (!tools) return;
  tools.hidden = false;
  tools.addEventListener("submit", (event) => event.preventDefault());
  filter.addEventListener("input", () => {
    const wanted = filter.value.trim().toLowerCase();
    let count = 0;
    for (const one of variants) {
      one.hidden = !one.textContent.toLowerCase().includes(wanted);
      count += one.hidden ? 0 : 1;
    }
    found.textContent = wanted ? `${count} of ${variants.length}` : "";
  });
  const openAll = (open) => variants.forEach((one) => { one.open = open; });
  document.getElementById("open").addEventListener("click", () => openAll(true));
  document.getElementById("close").addEventListener("click", () => openAll(false));
  const reveal = () => {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    const around = target && target.closest("details");
    if (!around) return;
    around.hidden = false;
    around.open = true;
    around.scrollIntoView();
    target.focus({ preventScroll: true });
  };
  addEventListener("hashchange", reveal);
  reveal();
  addEventListener("beforeprint", () => openAll(true));
})();
