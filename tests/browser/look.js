// What a page of ours owes its reader, as measured by the browser: every line it returns is a fault.
const faults = [];
const name = (element) =>
  `${element.tagName.toLowerCase()}.${element.className.baseVal ?? element.className}` +
  ` "${(element.innerText ?? "").trim().slice(0, 30)}"`;
const shown = (element) => {
  const box = element.getBoundingClientRect();
  return element.checkVisibility() && box.width > 1 && box.height > 1 && box.bottom > 0 && !element.closest(".unseen");
};
const within = [...document.body.querySelectorAll("*")].filter(shown);

// Nothing is wider than the screen but a table that scrolls by itself.
const wide = document.documentElement.scrollWidth;
const screen = document.documentElement.clientWidth; // A phone widens innerWidth to whatever does not fit.
if (wide > screen) faults.push(`the page is ${wide} px wide on ${screen}`);
for (const element of within) {
  const box = element.getBoundingClientRect();
  if (!element.closest(".scroll") && (box.right > screen + 0.5 || box.left < -0.5))
    faults.push(`${name(element)} leaves the screen`);
}

// What is touched is as large as a fingertip.
for (const element of within.filter((each) => each.matches("a[href], button, label, summary, select, input:not([type=radio], [type=checkbox])"))) {
  const box = element.getBoundingClientRect();
  if (box.width < 48 || box.height < 48)
    faults.push(`${name(element)} is ${Math.round(box.width)}×${box.height.toFixed(1)} px to touch`);
}

// Body text is 18 px or more; tables, figures and the survey's name in the header are 16 or more, as is all text of the
// console, which is read at a desk and holds much at once.
const atDesk = location.pathname.startsWith("/console");
const texts = within.filter((element) =>
  [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.data.trim() !== ""));
for (const element of texts) {
  const size = parseFloat(getComputedStyle(element).fontSize);
  const least = !atDesk && element.closest("main, .help, .lang") && !element.closest("table, .shares, .bars") ? 18 : 16;
  if (size < least) faults.push(`${name(element)} is written in ${size} px`);
}

// Text stands out from what is behind it (WCAG 2.2, 1.4.3).
const parts = (colour) => colour.match(/[\d.]+/g).map(Number);
const light = (colour) => {
  const [red, green, blue] = parts(colour).map((part) => {
    const share = part / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
};
const behind = (element) => {
  for (let each = element; each; each = each.parentElement) {
    const colour = getComputedStyle(each).backgroundColor;
    if (parts(colour)[3] !== 0) return colour;
  }
  return "rgb(255, 255, 255)";
};
const contrast = (one, other) => {
  const [bright, dim] = [light(one), light(other)].sort((a, b) => b - a);
  return (bright + 0.05) / (dim + 0.05);
};
for (const element of texts) {
  const ratio = contrast(getComputedStyle(element).color, behind(element));
  if (ratio < 4.5) faults.push(`${name(element)} has contrast ${ratio.toFixed(2)}`);
}
// So does the edge of what can be chosen (1.4.11).
for (const element of within.filter((each) => each.matches(".option, .lang, .secondary, .edit"))) {
  const ratio = contrast(getComputedStyle(element).borderTopColor, behind(element.parentElement));
  if (ratio < 3) faults.push(`${name(element)} has an edge of contrast ${ratio.toFixed(2)}`);
}
return faults;
