"use strict";
/* Make again: what was rejected, by reason, with the old and the new prompt, and the command that
   makes new takes. The page itself never pays. */

const Again = { most: new Map() };
const SHOWN = 100;

Again.start = function () {
  Again.section = document.getElementById("again");
};

Again.list = () => Review.cards.filter((card) => Review.standing(card) === "reject");

Again.draw = function (cards) {
  const groups = new Map();
  for (const card of cards) {
    const reason = Review.said(card, Review.latest(card)).reason || "no reason given";
    if (!groups.has(reason)) groups.set(reason, []);
    groups.get(reason).push(card);
  }
  const sorted = [...groups].sort((a, b) => b[1].length - a[1].length);
  Again.section.replaceChildren(...head(cards), ...sorted.map(([reason, some]) => group(reason, some)));
};

function head(cards) {
  if (!cards.length) return [make("p", { class: "notice", text: "Nothing is rejected." })];
  const seconds = cards.reduce((sum, card) => sum + card.seconds, 0);
  const fresh = cards.filter((card) => Review.said(card, Review.latest(card)).prompt).length;
  const parts = Review.manifests.map((one, m) => [one, cards.filter((card) => (card.m || 0) === m)]).filter(([, some]) => some.length);
  return [
    make("h2", { text: `${plural(cards.length, "video")} to make again` }),
    make("p", { class: "quiet lead", text: `${seconds.toLocaleString("en")} s of video${money(parts)}. Each gets a new take${fresh ? `, ${fresh.toLocaleString("en")} from a new prompt` : ""}; the earlier takes stay. The sheet is not changed.` }),
    ...(Review.served ? [] : [make("p", { class: "notice", text: `Your decisions are in this browser only. Save them, and take them over before you run the command: ${Review.importing()}` })]),
    ...parts.map(([one, some]) => commandLine(one, some)),
  ];
}

/* What new takes cost, by currency. */
function money(parts) {
  const sums = new Map();
  for (const [one, some] of parts) {
    if (one.rehearsal || one.price === null) continue;
    const seconds = some.reduce((sum, card) => sum + card.seconds, 0);
    sums.set(one.currency, (sums.get(one.currency) || 0) + seconds * one.price);
  }
  if (parts.every(([one]) => one.rehearsal)) return ", free in a rehearsal";
  return [...sums].map(([currency, sum]) => `, about ${sum.toFixed(2)} ${currency}`).join("");
}

function commandLine(one, some) {
  const all = Again.list().filter((card) => Review.manifest(card) === one).length;
  const keys = some.length === all ? "rejected" : some.map((card) => listedKey(card.key)).join(",");
  const line = `${one.command} --redo ${quoteWord(keys, Review.data.windows)}`;
  const copy = make("button", { type: "button", text: "Copy" });
  copy.addEventListener("click", () => copyText(line, copy));
  return make("div", { class: "row run" }, make("code", { class: "command", text: line }), copy);
}

async function copyText(text, button) {
  try {
    await navigator.clipboard.writeText(text);
    button.textContent = "Copied";
  } catch {
    const range = document.createRange();
    range.selectNodeContents(button.previousElementSibling);
    getSelection().removeAllRanges();
    getSelection().addRange(range);
    button.textContent = "Selected: press Ctrl+C";
  }
}

function group(reason, cards) {
  const most = Again.most.get(reason) || SHOWN;
  const more = cards.length > most
    ? make("button", { type: "button", class: "more", text: `Show ${Math.min(SHOWN, cards.length - most)} more of ${cards.length}`, on: { click: () => {
        Again.most.set(reason, most + SHOWN);
        App.refresh();
      } } })
    : null;
  return make("section", { class: "panel", "aria-label": reason },
    make("div", { class: "row top" }, make("h3", { text: reason }), make("span", { class: "quiet", text: cards.length.toLocaleString("en") }), make("span", { class: "space" }),
      make("button", { type: "button", text: cards.length > 1 ? "Add a sentence to all…" : "Add a sentence…", on: { click: () => addSentence(reason, cards) } })),
    ...cards.slice(0, most).map(line), more);
}

function line(card) {
  const take = Review.latest(card);
  const said = Review.said(card, take);
  const path = posterAddress(card, take);
  const before = Review.promptOf(card, take);
  const after = said.prompt || card.prompt;
  const next = after !== before
    ? make("p", { class: "after" }, ...marked(before, after))
    : make("p", { class: "after quiet" }, make("i", { text: "the same text, another take" }));
  return make("div", { class: "line" },
    path ? make("img", { src: path, alt: "", loading: "lazy" }) : make("span", { class: "none" }),
    make("div", { class: "whose" }, make("b", { text: card.key }), card.title ? make("p", { class: "quiet", text: card.title }) : null, said.note ? make("p", { class: "quiet", text: `“${said.note}”` }) : null),
    make("p", { class: "before quiet", text: before }), next,
    make("button", { type: "button", text: "Edit", "aria-label": `Edit the prompt of ${card.key}`, on: { click: () => App.editPromptOf(card, take) } }));
}

function addSentence(reason, cards) {
  askText(`Add a sentence to ${plural(cards.length, "prompt")}`, { lines: 3, most: 2000, hint: `Rejected for: ${reason}. The sentence goes behind each prompt, as a new text.`, button: "Add" }, (text) => {
    if (!text) return;
    Review.decide(cards.map((card) => [card, Review.latest(card)]), (card, take) => {
      const now = (Review.said(card, take) || {}).prompt || card.prompt;
      return { prompt: `${now.trim()} ${text}`, prompt_of: card.prompt_hash };
    });
    App.refresh();
  });
}
