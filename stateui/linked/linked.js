// Lights the matching lines of both sides: while the mouse or the focus is on one, and for good once it is chosen.

const HINT = "Point at a line, or press a number: its match on the other side lights up.";

export default function ({ data, parentElement }) {
  const box = parentElement.querySelector(".linked");
  if (box.shown !== data.sides + data.chips) {
    box.shown = data.sides + data.chips;
    box.innerHTML = `<div class="chips" role="group" aria-label="Matching parts">${data.chips}</div>
      <div class="sides">${data.sides}</div><p class="told" role="status"></p>`;
    box.chosen = [];
    show(box, data, []);
  }
  const events = new AbortController();
  const on = (name, act) => box.addEventListener(name, act, { signal: events.signal });
  on("pointerover", (event) => event.pointerType === "mouse" && show(box, data, of(event.target), true));
  on("pointerleave", () => show(box, data, box.chosen));
  on("focusin", (event) => show(box, data, of(event.target), true));
  on("focusout", () => show(box, data, box.chosen));
  on("click", (event) => {
    const links = of(event.target);
    if (!links.length) return;
    box.chosen = String(links) === String(box.chosen) ? [] : links;
    show(box, data, box.chosen);
  });
  on("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (event.key === "Escape") { box.chosen = []; show(box, data, []); }
    if (!step || !event.target.closest(".chip")) return;
    event.preventDefault();
    event.stopPropagation(); // the arrows step the stage elsewhere on the page
    const chips = [...box.querySelectorAll(".chip")];
    chips[(chips.indexOf(event.target.closest(".chip")) + step + chips.length) % chips.length].focus();
  });
  return () => events.abort();
}

// The links that an element stands for: one for a number, all of its own for a line.
function of(target) {
  const one = target.closest("[data-link], [data-tag]");
  if (one) return [one.dataset.link ?? one.dataset.tag];
  const line = target.closest("[data-links]");
  return line && line.dataset.links ? line.dataset.links.split(" ") : [];
}

function show(box, data, links, passing = false) {
  const now = passing && !links.length ? box.chosen : links;
  for (const line of box.querySelectorAll("[data-links]")) line.dataset.lit = line.dataset.links.split(" ").some((link) => now.includes(link));
  for (const tag of box.querySelectorAll("[data-tag]")) tag.dataset.lit = now.includes(tag.dataset.tag);
  for (const chip of box.querySelectorAll(".chip")) {
    chip.dataset.lit = now.includes(chip.dataset.link);
    chip.setAttribute("aria-pressed", box.chosen.includes(chip.dataset.link));
  }
  box.querySelector(".told").innerHTML = now.length ? now.map((link) => telling(box, data, link)).join("") : HINT;
}

function telling(box, data, link) {
  const of = (side) => [...box.querySelectorAll(`[data-side=${side}] [data-links]`)]
    .filter((line) => line.dataset.links.split(" ").includes(link))
    .map((line) => `<code>${line.querySelector(".text").innerHTML.trim()}</code>`).join(" ");
  return `<span class="one"><b>${link}</b> ${data.told[link]}<span class="lines">${of("broken")} → ${of("fixed")}</span></span>`;
}
