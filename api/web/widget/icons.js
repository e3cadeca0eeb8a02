/** The widget's few icons, drawn as paths so that nothing has to be loaded. */

import { svg } from "./dom.js";

const PATHS = {
  chat: ["M5 5h14a2 2 0 0 1 2 2v8a2 2 0 0 1-2 2h-7l-5 4v-4H5a2 2 0 0 1-2-2V7a2 2 0 0 1 2-2z"],
  close: ["M6 6l12 12", "M18 6L6 18"],
  down: ["M12 5v14", "M6 13l6 6 6-6"],
  menu: ["M12 5.5v.01", "M12 12v.01", "M12 18.5v.01"],
  person: ["M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8z", "M4.5 20a7.5 7.5 0 0 1 15 0"],
  send: ["M4 12l16-7-7 16-2.2-6.8z"],
  shield: ["M12 3l7 3v5c0 4.6-3 8.2-7 10-4-1.800-7-5.400-7-10V6z", "M9 12l2.200 2.200L15.200 10"],
};

/** Return a decorative icon; what it means is said by the text or label beside it. */
export function icon(name) {
  const strokes = PATHS[name].map((d) => svg("path", { d }));
  return svg("svg", { viewBox: "0 0 24 24", class: "icon", "aria-hidden": "true" }, ...strokes);
}
