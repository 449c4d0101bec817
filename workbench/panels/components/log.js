// What is printed and logged, line by line; it stays at its end unless somebody scrolls up.
const MOST = 2000;
const line = ({ text, tone }) => {
  const one = make('div', 'wb-log-line', text);
  if (tone) one.dataset.tone = tone;
  return one;
};
export default component('wb-log', ({ shown, kept }) => {
  kept.box.replaceChildren(...shown.lines.slice(-MOST).map(line));
  kept.box.hidden = !shown.lines.length;
  kept.box.scrollTop = kept.box.scrollHeight;
}, ({ el, model }) => {
  const box = make('div', 'wb-log-box');
  box.setAttribute('role', 'log');
  box.tabIndex = 0;
  el.append(box);
  const add = (message) => {
    if (!message.add) return;
    const follows = box.scrollHeight - box.scrollTop - box.clientHeight < 40;
    box.append(...message.add.map(line));
    while (box.childElementCount > MOST) box.firstChild.remove();
    box.hidden = false;
    if (follows) box.scrollTop = box.scrollHeight;
  };
  model.on('msg:custom', add);
  return { box, end: () => model.off('msg:custom', add) };
});
