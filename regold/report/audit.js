"use strict";
const list = document.getElementById("checks");
const cards = Array.from(list.children);
const find = document.getElementById("find");
const action = document.getElementById("action");
const order = document.getElementById("order");
const told = document.getElementById("told");
const rank = { drop: 0, repair: 1, suspect: 2 };
const by = {
  count: (a, b) => b.dataset.count - a.dataset.count,
  name: (a, b) => a.dataset.name.localeCompare(b.dataset.name),
  action: (a, b) => rank[a.dataset.action] - rank[b.dataset.action] || b.dataset.count - a.dataset.count,
};
function show() {
  const words = find.value.toLowerCase();
  let shown = 0;
  for (const card of cards) {
    const fits = (!action.value || card.dataset.action === action.value)
      && (!words || card.textContent.toLowerCase().includes(words));
    card.hidden = !fits;
    shown += fits;
  }
  told.textContent = shown + " of " + cards.length + " checks";
}
order.addEventListener("change", () => { cards.sort(by[order.value]); list.append(...cards); });
find.addEventListener("input", show);
action.addEventListener("change", show);
show();
