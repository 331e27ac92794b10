// What tests ask a page that only eyes could tell: each function returns what is wrong with its looks.
({
  // Texts of less than 4.5 : 1 against their ground.
  pale() {
    const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
    const parts = (colour) => {
      canvas.clearRect(0, 0, 1, 1);
      canvas.fillStyle = colour;
      canvas.fillRect(0, 0, 1, 1);
      return [...canvas.getImageData(0, 0, 1, 1).data];
    };
    const luminance = (colour) => {
      const linear = (one) => (one <= 0.04045 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4);
      const [red, green, blue] = parts(colour).map((one) => linear(one / 255));
      return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
    };
    const ground = (one) => {
      for (; one; one = one.parentElement) {
        const { backgroundColor } = getComputedStyle(one);
        if (parts(backgroundColor)[3] === 255) return backgroundColor;
      }
      return "white";
    };
    const contrast = (one) => {
      const [low, high] = [luminance(getComputedStyle(one).color), luminance(ground(one))].sort((a, b) => a - b);
      return (high + 0.05) / (low + 0.05);
    };
    return this.texts().filter((node) => contrast(node.parentElement) < 4.5).map((node) => node.data);
  },

  // Texts that leave the screen or their box, or lie upon each other.
  illPlaced() {
    const edge = (one, selector, side) => one.closest(selector)?.getBoundingClientRect()[side] ?? Infinity;
    const placed = this.texts().flatMap((node) => {
      const one = node.parentElement;
      const range = document.createRange();
      range.selectNodeContents(node);
      return [...range.getClientRects()].map(({ left, right, top, bottom }) => {
        const ink = (bottom - top) / 4; // a line is higher than its letters
        right = Math.min(right, edge(one, ".name, .where", "right")); // what is too long ends in dots
        bottom = Math.min(bottom, edge(one, ".name", "bottom")); // so do names, after two lines
        const border = Math.min(innerWidth, edge(one, "li article, #now div, #agents-now div, table", "right"));
        const out = left < 0 || right > border + 1 || bottom - 2 * ink > edge(one, "li article", "bottom");
        return { node, out, left: left + 1, right: right - 1, top: top + ink, bottom: bottom - ink };
      });
    });
    const upon = (one, other) =>
      one.node !== other.node &&
      one.left < other.right && other.left < one.right && one.top < other.bottom && other.top < one.bottom;
    return [
      ...placed.filter((one) => one.out).map((one) => `out: ${one.node.data}`),
      ...placed.flatMap((one, place) =>
        placed.slice(place + 1).filter((other) => upon(one, other)).map((other) => `${one.node.data} upon ${other.node.data}`),
      ),
    ];
  },

  // Words that are broken in two where no hyphen, soft or hard, says so. Names of queues may be any.
  broken() {
    const lines = (node, from, to) => {
      const range = document.createRange();
      range.setStart(node, from);
      range.setEnd(node, to);
      return new Set([...range.getClientRects()].filter(({ width }) => width > 1).map(({ top }) => Math.round(top))).size;
    };
    return this.texts()
      .filter((node) => !node.parentElement.closest(".name, #queue-name, #queue-where, .tenant") && lines(node, 0, node.length) > 1)
      .flatMap((node) => [...node.data.matchAll(/[^\s-]+/g)].map((word) => ({ node, word })))
      .filter(({ node, word }) => !word[0].includes("\u00ad") && lines(node, word.index, word.index + word[0].length) > 1)
      .map(({ word }) => `broken: ${word[0]}`);
  },

  // Names of queues that end in dots.
  cut() {
    const names = [...document.querySelectorAll("#tiles .name")];
    const cut = (one) => one.scrollWidth > one.clientWidth + 1 || one.scrollHeight > one.clientHeight + one.clientHeight / 4;
    return names.filter((one) => getComputedStyle(one).overflow === "hidden" && cut(one)).map((one) => one.textContent);
  },

  // Controls on different lines.
  lines() {
    const controls = [...document.querySelectorAll("#tools :is(button, a, select, input)")].filter((one) => one.checkVisibility());
    return new Set(controls.map((one) => Math.round(one.getBoundingClientRect().top / 10))).size;
  },

  // Controls that a screen reader has no name for.
  unnamed() {
    const controls = [...document.querySelectorAll("button, select, input, a")].filter((one) => one.checkVisibility());
    return controls.filter((one) => !(one.ariaLabel || one.innerText).trim()).map((one) => one.outerHTML);
  },

  // Heights of letters, the smallest first, as parts of the height of the screen.
  sizes() {
    const tiles = document.getElementById("tiles");
    const shown = this.texts().map((node) => node.parentElement).filter((one) => tiles.contains(one));
    return shown.map((one) => parseFloat(getComputedStyle(one).fontSize) / innerHeight).sort((a, b) => a - b);
  },

  texts() {
    const unseen = ".unseen, #skip, option, select, .view-wall #tools, dialog:not([open])";
    const away = [...document.querySelectorAll(".word")].filter((one) => getComputedStyle(one).clipPath !== "none");
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    const found = [];
    while (walker.nextNode()) {
      const [node, one] = [walker.currentNode, walker.currentNode.parentElement];
      if (node.data.trim() && one.checkVisibility() && !one.closest(unseen) && !away.includes(one)) found.push(node);
    }
    return found;
  },
})
