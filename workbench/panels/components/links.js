// What can be downloaded; where there is no address yet, it is asked for.
export default component('wb-links', ({ el, shown, tell }) => {
  el.replaceChildren(...shown.items.map((item) => {
    const inner = [make('span', 'wb-link-name', item.label), make('span', 'wb-help', item.meta || '')];
    if (!item.href) return button('wb-link', '', () => tell({ open: item.id })).appendChild(make('span', '', ...inner)).parentNode;
    const link = make('a', 'wb-link', ...inner);
    link.href = item.href;
    link.download = item.label;
    return link;
  }));
}, ({ model }) => {
  const go = (message) => {
    if (!message.go) return;
    const link = make('a');
    link.href = message.go;
    link.download = '';
    link.rel = 'noopener';
    if (message.shown) link.target = '_blank';
    document.body.append(link);
    link.click();
    link.remove();
  };
  model.on('msg:custom', go);
  return { end: () => model.off('msg:custom', go) };
});
