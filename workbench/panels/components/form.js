// Fields to fill in: what is typed is told at once, and what is wrong stands below its field.
const INPUTS = { whole: 'text', number: 'text', text: 'text', date: 'date', color: 'color' };
// Boxes to tick, told as the values of those that are, one per line.
const boxes = (one, id, tell) => {
  const group = make('div', 'wb-many');
  group.setAttribute('role', 'group');
  const told = () => tell({ fill: one.name, text: group.value });
  for (const [value, label] of one.options) {
    const tick = make('input');
    Object.assign(tick, { type: 'checkbox', value, id: `${id}-${value}`, onchange: told });
    const name = make('label', '', label);
    name.htmlFor = tick.id;
    group.append(make('span', 'wb-flag', tick, name));
  }
  const ticks = [...group.querySelectorAll('input')];
  Object.defineProperty(group, 'value', {
    get: () => ticks.filter((tick) => tick.checked).map((tick) => tick.value).join('\n'),
    set: (text) => ticks.forEach((tick) => { tick.checked = text.split('\n').includes(tick.value); }),
  });
  group.setAttribute('aria-label', one.label);
  return group;
};
const field = (one, id, tell) => {
  if (one.kind === 'many') return boxes(one, id, tell);
  let input;
  if (one.kind === 'choice') {
    input = make('select');
    for (const [value, label] of one.options) {
      const option = make('option', '', label);
      option.value = value;
      input.append(option);
    }
  } else if (['long', 'lines', 'json', 'code'].includes(one.kind)) {
    input = make('textarea', one.kind === 'json' || one.kind === 'code' ? 'wb-code' : '');
    input.rows = one.rows || 3;
    input.spellcheck = one.kind === 'long';
  } else {
    input = make('input');
    input.type = one.kind === 'flag' ? 'checkbox' : INPUTS[one.kind] || 'text';
    if (one.kind === 'whole') input.inputMode = 'numeric';
    if (one.kind === 'number') input.inputMode = 'decimal';
    input.autocomplete = 'off';
  }
  input.id = id;
  input.name = one.name;
  input.placeholder = one.hint || '';
  input.setAttribute('aria-describedby', `${id}-help ${id}-wrong`);
  const said = () => tell({ fill: one.name, text: one.kind === 'flag' ? input.checked : input.value });
  input.oninput = said;
  input.onkeydown = (event) => {
    event.stopPropagation();
    const done = event.key === 'Enter' && (event.ctrlKey || event.metaKey || input.tagName === 'INPUT');
    if (done) { event.preventDefault(); tell({ submit: true }); }
  };
  return input;
};
const row = (one, id, tell) => {
  const label = make('label', 'wb-label', one.label);
  label.htmlFor = id;
  if (one.required) {
    const star = make('b', '', ' *');
    star.title = 'required';
    label.append(star);
  }
  const input = field(one, id, tell);
  const help = make('div', 'wb-help', one.help || '');
  help.id = `${id}-help`;
  help.hidden = !one.help;
  const wrong = make('div', 'wb-wrong');
  wrong.id = `${id}-wrong`;
  wrong.setAttribute('role', 'alert');
  const box = make('div', `wb-field wb-field-${one.kind}${one.wide ? ' wb-wide' : ''}`);
  if (one.kind === 'flag') box.append(make('div', 'wb-flag', input, label), help, wrong);
  else box.append(label, input, help, wrong);
  box.dataset.name = one.name;
  return { one, box, input, wrong };
};
let forms = 0;
export default component('wb-form', ({ el, shown, tell, kept }) => {
  const shape = JSON.stringify(shown.fields.map(({ text, ...rest }) => rest));
  if (kept.shape !== shape) {
    kept.shape = shape;
    const mark = `wb-${Date.now().toString(36)}-${++forms}`;
    kept.rows = shown.fields.map((one, n) => row(one, `${mark}-${n}`, tell));
    el.replaceChildren(...kept.rows.map((r) => r.box));
    el.dataset.columns = shown.columns || 1;
    if (!kept.rows.length && shown.empty) el.append(make('p', 'wb-empty', shown.empty));
  }
  kept.rows.forEach((r, n) => {
    const { text } = shown.fields[n];
    if (r.one.kind === 'flag') r.input.checked = Boolean(text);
    else if (document.activeElement !== r.input && r.input.value !== text) r.input.value = text;
    r.input.disabled = Boolean(shown.disabled);
    const wrong = (shown.problems || {})[r.one.name] || '';
    r.wrong.textContent = wrong;
    r.wrong.hidden = !wrong;
    r.input.setAttribute('aria-invalid', String(Boolean(wrong)));
  });
});
