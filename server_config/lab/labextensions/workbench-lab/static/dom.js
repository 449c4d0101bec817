// Elements: what they say is always text, never markup.

export function element(tag, given, ...children) {
  const node = Object.assign(document.createElement(tag), given);
  node.append(...children);
  return node;
}
