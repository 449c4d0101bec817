// How far a run is: where it stands, what it does, for how long, and one segment for each cell.
export default component('wb-steps', ({ el, shown, kept }) => {
  clearInterval(kept.timer);
  if (!shown.status) { el.replaceChildren(); return; }
  const clock = make('span', 'wb-clock');
  const began = Date.now() - (shown.ms || 0);
  const tick = () => { clock.textContent = seconds(shown.busy ? Date.now() - began : shown.ms || 0); };
  if (shown.ms !== null && shown.ms !== undefined) tick();
  if (shown.busy) kept.timer = setInterval(tick, 250);
  const line = make('div', 'wb-steps-line', badge(shown.status),
    make('span', 'wb-doing', shown.doing || ''), clock);
  line.setAttribute('role', 'status');
  const bar = make('div', 'wb-segments');
  bar.setAttribute('role', 'progressbar');
  bar.setAttribute('aria-valuemin', '0');
  bar.setAttribute('aria-valuemax', String(shown.cells.length));
  bar.setAttribute('aria-valuenow', String(shown.cells.filter((c) => c.state === 'completed').length));
  bar.setAttribute('aria-label', shown.label || '');
  for (const cell of shown.cells) {
    const one = make('span', 'wb-segment');
    one.dataset.state = cell.state;
    if (cell.title) one.title = cell.title;
    bar.append(one);
  }
  const parts = [line];
  if (shown.cells.length) parts.push(bar);
  if (shown.fraction !== null && shown.fraction !== undefined && shown.busy) {
    const meter = make('progress', 'wb-fraction');
    meter.max = 1;
    meter.value = shown.fraction;
    parts.push(meter);
  }
  el.replaceChildren(...parts);
}, () => { const kept = { end: () => clearInterval(kept.timer) }; return kept; });
