"use strict";
// The marking page: keys, saving, moving on. The server renders everything; this only ticks, sends and replaces.

const content = document.getElementById("content");
const statusLine = document.getElementById("status");
let busy = false;

const main = () => document.getElementById("main");
const ruling = () => document.getElementById("ruling");
const say = (words, bad = false) => {
  statusLine.textContent = words;
  statusLine.classList.toggle("bad", bad);
};

// -- talking to the server -------------------------------------------------------------------------------------

async function send(path, data) {
  const answer = await fetch(path, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(data),
  });
  if (!answer.ok) throw new Error((await answer.text()).trim() || "the page's server refused this");
  return answer.json();
}

// One action at a time: a second Enter while the first is on its way would save what nobody has seen yet.
async function act(work) {
  if (busy) return;
  busy = true;
  document.body.setAttribute("aria-busy", "true");
  try {
    await work();
  } catch (error) {
    say(error instanceof TypeError ? "not saved: no answer from `grade review`; is it still running?" : error.message, true);
  } finally {
    busy = false;
    document.body.removeAttribute("aria-busy");
  }
}

function show(reply, { push = true } = {}) {
  content.innerHTML = reply.html;
  if (push && reply.url && reply.url !== location.pathname + location.search) {
    history.pushState({ depth: (history.state?.depth ?? 0) + 1 }, "", reply.url);
  }
  if (reply.said) say(reply.said, reply.bad);
  arrive();
  window.scrollTo(0, 0);
}

const go = (url, options) => act(async () => {
  const answer = await fetch(url + (url.includes("?") ? "&" : "?") + "part=1");
  if (!answer.ok) throw new Error((await answer.text()).trim());
  const reply = await answer.json();
  say("");
  show({ url, ...reply }, options);
});

// -- what stands on the page -----------------------------------------------------------------------------------

function arrive() {
  const page = main();
  document.title = page.dataset.title;
  page.focus({ preventScroll: true });
  if (page.dataset.page !== "unit") return;
  count();
  loadPlots(page);
}

async function loadPlots(page) {
  const place = document.getElementById("plots");
  if (!page.dataset.plots) return place.remove();
  try {
    const answer = await fetch(page.dataset.plots);
    if (page === main() && answer.ok) place.innerHTML = await answer.text();
  } catch {
    if (page === main()) place.textContent = "The plots cannot be shown now.";
  }
  place.removeAttribute("aria-busy");
}

const hundredthsOf = (text) => {
  const cleaned = text.trim().replace(",", ".").replace("−", "-");
  if (!cleaned) return 0;
  return /^[+-]?\d{0,6}(\.\d{0,2})?$/.test(cleaned) && /\d/.test(cleaned) ? Math.round(Number(cleaned) * 100) : NaN;
};

// What the points will be; the server works them out again from the lines.
function count() {
  const form = ruling();
  let sum = hundredthsOf(form.adjustment.value);
  for (const box of form.querySelectorAll("input[name=line]:checked")) sum += Number(box.dataset.hundredths);
  const most = Number(main().dataset.possible);
  const points = Number.isNaN(sum) ? "?" : String(Math.min(Math.max(sum, 0), most) / 100);
  document.getElementById("points").textContent = points;
  const many = document.getElementById("many");
  if (many) many.textContent = members().length;
}

// The submissions that are ticked; in a group a box stands for all who wrote the same words.
const members = () => [...main().querySelectorAll("input[name=member]:checked")].flatMap((box) => box.value.split(" "));

function decision() {
  const form = ruling();
  const seen = JSON.parse(main().dataset.seen);
  return {
    item: main().dataset.item,
    unit: main().dataset.unit,
    shown: Number(main().dataset.shown),
    lines: [...form.querySelectorAll("input[name=line]:checked")].map((box) => Number(box.value)),
    seen: Object.fromEntries(members().map((row) => [row, seen[row]])),
    comment: form.comment.value,
    adjustment: form.adjustment.value.trim().replace(",", ".").replace("−", "-"),
    why: form.why.value,
  };
}

const here = () => ({ item: main().dataset.item, unit: main().dataset.unit, shown: Number(main().dataset.shown) });

// -- what keys and buttons do ----------------------------------------------------------------------------------

const open = (name, field) => {
  const dialog = document.getElementById(name);
  dialog.showModal();
  if (field) dialog.querySelector(`[name=${field}]`).focus();
};

const reload = async (path, data) => show(await send(path, data), { push: false });

const deeds = {
  save: () => act(async () => show(await send("/save", decision()))),
  undo: () => act(async () => show(await send("/undo", here()))),
  aside: () => act(async () => show(await send("/aside", here()))),
  names: () => act(() => reload("/names", here())),
  keep: () => go(main().dataset.here, { push: false }),
  flag: () => {
    if (main().querySelector(".flagged")) return act(() => reload("/flag", { ...here(), raised: false, words: "" }));
    return open("flag", "words");
  },
  reply: () => main().querySelector(".request") && open("reply", "words"),
  line: () => open("line", "which"),
  keys: () => open("keys"),
  close: () => document.querySelector("dialog[open]")?.close(),
  comment: () => ruling().comment.focus(),
  adjust: () => ruling().adjustment.focus(),
  members: () => main().querySelector("input[name=member]:not([hidden])")?.focus(),
  suggested: () => {
    for (const box of main().querySelectorAll(".line.suggested input")) box.checked = true;
    if (ruling()) count();
  },
  group: () => main().dataset.group && go(main().dataset.group),
  next: () => main().dataset.next && go(main().dataset.next, { push: false }),
  previous: () => main().dataset.prev && go(main().dataset.prev, { push: false }),
  back: () => (history.state?.depth ?? 0) > 0 && history.back(),
  forward: () => history.forward(),
  preview: () => act(preview),
  apply: () => act(apply),
  home: () => go("/"),
};

const KEYS = {
  c: "comment", x: "adjust", u: "undo", f: "flag", g: "group", h: "aside", l: "line", n: "names", m: "members", r: "reply",
  k: "keep", s: "suggested", "?": "keys", ".": "next", ",": "previous", ArrowLeft: "back", b: "back", ArrowRight: "forward",
  Escape: "close", "0": "home",
};

function lineChange() {
  const form = document.getElementById("line-form");
  return {
    ...here(),
    line: Number(form.which.value),
    points: form.points.value.trim().replace(",", ".").replace("−", "-"),
    text: form.text.value,
    reason: form.reason.value,
    retired: form.retired.checked,
    newest: Number(main().dataset.newest),
  };
}

async function preview() {
  const form = document.getElementById("line-form");
  const reply = await send("/line/preview", lineChange());
  document.getElementById("preview").innerHTML = reply.html;
  const button = form.querySelector("[data-do=apply]");
  button.hidden = !reply.fits;
  if (reply.fits) button.focus();
}

async function apply() {
  const ticked = decision();
  show(await send("/line", { ...lineChange(), decision: ticked }), { push: false });
}

function submit(event) {
  event.preventDefault();
  if (event.target.id === "ruling") deeds.save();
  if (event.target.id === "line-form") deeds.preview();
  if (event.target.id === "flag-form") {
    const words = event.target.words.value;
    act(() => reload("/flag", { ...here(), raised: true, words }));
  }
  if (event.target.id === "reply-form") {
    const words = event.target.words.value;
    act(() => reload("/reply", { ...here(), words }));
  }
}

// The arrows put the comments that were used before into the field, most used first; a browser's own list need not open.
function usedBefore(event, field) {
  const used = [...document.getElementById("comments").options].map((option) => option.value);
  const at = used.indexOf(field.value);
  const next = used[at + (event.key === "ArrowDown" ? 1 : -1)];
  if (!next || (field.value && at < 0)) return; // words that somebody has begun to type stay
  event.preventDefault();
  field.value = next;
}

function press(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.repeat) return;
  const field = event.target.closest("input:not([type=checkbox]), textarea, select");
  const dialog = document.querySelector("dialog[open]");
  if (field || dialog) {
    if (event.key === "Escape" && !dialog && field) main().focus();
    if (field?.name === "comment" && /^Arrow(Down|Up)$/.test(event.key)) usedBefore(event, field);
    return; // what is typed is text
  }
  if (event.key === "Enter") {
    if (event.target.closest("button, a, summary")) return;
    event.preventDefault();
    if (ruling()) deeds.save();
    else content.querySelector('[data-key="Enter"]')?.click();
    return;
  }
  const target = content.querySelector(`[data-key="${CSS.escape(event.key)}"]`);
  if (target) {
    event.preventDefault();
    if (target.matches("input")) {
      target.checked = !target.checked;
      count();
    } else target.click();
    return;
  }
  const deed = KEYS[event.key];
  if (deed) {
    event.preventDefault();
    deeds[deed]();
  }
}

function click(event) {
  const button = event.target.closest("[data-do]");
  if (button) {
    if (button.type !== "submit") deeds[button.dataset.do]();
    return;
  }
  const link = event.target.closest("a[href]");
  if (link && link.origin === location.origin && !event.ctrlKey && !event.metaKey) {
    event.preventDefault();
    go(link.pathname + link.search);
  }
}

function change(event) {
  if (event.target.closest("#ruling") || event.target.name === "member") count();
  if (event.target.name === "which") {
    const form = document.getElementById("line-form");
    const chosen = form.which.selectedOptions[0].dataset;
    form.points.value = chosen.points ?? "";
    form.text.value = chosen.text ?? "";
  }
}

document.addEventListener("keydown", press);
document.addEventListener("click", click);
document.addEventListener("submit", submit);
document.addEventListener("input", change);
window.addEventListener("popstate", () => go(location.pathname + location.search, { push: false }));
window.addEventListener("pagehide", () => {
  // Other markers need not wait for the lease to end.
  fetch("/leave", { method: "POST", headers: { "Content-Type": "application/json" }, body: "{}", keepalive: true });
});
arrive();
