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
  const { price, currency, rehearsal, command, windows } = Review.data;
  const seconds = cards.reduce((sum, card) => sum + card.seconds, 0);
  const money = rehearsal ? ", free in a rehearsal" : price === null ? "" : `, about ${(seconds * price).toFixed(2)} ${currency}`;
  const keys = cards.map((card) => listedKey(card.key)).join(",");
  const line = `${command} --redo ${quoteWord(keys, windows)}`;
  const fresh = cards.filter((card) => Review.said(card, Review.latest(card)).prompt).length;
  const copy = make("button", { type: "button", text: "Copy" });
  copy.addEventListener("click", () => copyText(line, copy));
  return [
    make("h2", { text: `${plural(cards.length, "video")} to make again` }),
    make("p", { class: "quiet", text: `${seconds.toLocaleString("en")} s of video${money}. Each gets a new take; the earlier takes stay. The sheet is not changed.` }),
    make("div", { class: "row" }, make("code", { class: "command", text: line }), copy),
    fresh ? make("p", { class: "notice", text: `${plural(fresh, "new prompt")} written here: put ${fresh === 1 ? "it" : "them"} into the sheet before you run the command, which sends what the sheet says.` }) : "",
  ];
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
    ? make("button", { type: "button", text: `Show ${Math.min(SHOWN, cards.length - most)} more of ${cards.length}`, on: { click: () => {
        Again.most.set(reason, most + SHOWN);
        App.refresh();
      } } })
    : null;
  return make("div", { class: "panel" },
    make("div", { class: "row top" }, make("h3", { text: reason }), make("span", { class: "quiet", text: String(cards.length) }), make("span", { class: "space" }),
      make("button", { type: "button", text: "Add a sentence to all…", on: { click: () => addSentence(reason, cards) } })),
    ...cards.slice(0, most).map(line), more);
}

function line(card) {
  const take = Review.latest(card);
  const said = Review.said(card, take);
  const path = posterAddress(take);
  const next = said.prompt
    ? make("p", {}, ...marked(card.prompt, said.prompt))
    : make("p", { class: "quiet" }, make("i", { text: "the same text, another take" }));
  return make("div", { class: "line" },
    path ? make("img", { src: path, alt: "", loading: "lazy" }) : make("span", { class: "none" }),
    make("div", {}, make("b", { text: card.key }), make("br"), make("span", { class: "quiet", text: card.title }), said.note ? make("p", { class: "quiet", text: said.note }) : null),
    make("p", { class: "quiet", text: card.prompt }), next,
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
