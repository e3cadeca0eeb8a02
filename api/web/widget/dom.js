/** Builds nodes. Text always goes in as text, never as markup. */

/**
 * Make an element.
 * @param {string} tag
 * @param {Object<string, *>} props attributes; `on…` functions become listeners; false and null are left out
 * @param {...(Node|string|null|false|Array)} children
 */
export function h(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) setProp(node, name, value);
  node.append(...children.flat(2).filter(isPresent));
  return node;
}

export function svg(tag, attributes, ...children) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

function setProp(node, name, value) {
  if (!isPresent(value)) return;
  if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
  else node.setAttribute(name, value === true ? "" : value);
}

function isPresent(value) {
  return value !== null && value !== undefined && value !== false;
}

/** Return the elements inside a root that the Tab key reaches, in order. */
export function tabbable(root) {
  const candidates = root.querySelectorAll("a[href], button, input, textarea, [tabindex='0']");
  return [...candidates].filter((node) => !node.disabled && node.checkVisibility());
}
