(function () {
  "use strict";
  var root = document.documentElement;
  function keep(key, value) {
    try {
      if (value === undefined) return localStorage.getItem(key);
      localStorage.setItem(key, value);
    } catch (error) { return null; }
  }
  function each(selector, act, within) { (within || document).querySelectorAll(selector).forEach(act); }
  var saved = keep("aicine-theme");
  if (saved === "dark" || saved === "light") root.dataset.theme = saved;

  function theme() {
    each(".theme", function (button) {
      button.addEventListener("click", function () {
        var dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
        root.dataset.theme = dark ? "light" : "dark";
        keep("aicine-theme", root.dataset.theme);
      });
    });
  }

  function code() {
    each(".code-toggle", function (button) {
      function show(on) {
        each("details.code", function (block) { block.open = on; });
        button.setAttribute("aria-pressed", String(on));
        button.textContent = on ? button.dataset.hide : button.dataset.show;
        keep("aicine-code", on ? "shown" : "hidden");
      }
      button.addEventListener("click", function () { show(button.getAttribute("aria-pressed") !== "true"); });
      if (keep("aicine-code") === "shown") show(true);
    });
  }

  function sortBy(head, table) {
    var place = Array.prototype.indexOf.call(head.parentNode.children, head);
    var now = head.getAttribute("aria-sort");
    var next = now === "none" ? head.dataset.first : now === "ascending" ? "descending" : "ascending";
    var sign = next === "ascending" ? 1 : -1;
    var number = head.classList.contains("number");
    var body = table.tBodies[0];
    var rows = Array.from(body.rows).map(function (row) { return [row.cells[place].dataset.sort, row]; });
    rows.sort(function (a, b) {
      if (a[0] === "" || b[0] === "") return (a[0] === "") - (b[0] === "");
      return sign * (number ? a[0] - b[0] : a[0].localeCompare(b[0], undefined, { numeric: true }));
    });
    rows.forEach(function (pair) { body.appendChild(pair[1]); });
    each("th[aria-sort]", function (th) { th.setAttribute("aria-sort", th === head ? next : "none"); }, table);
  }
  function tables() {
    each("table.sortable", function (table) {
      each("th[aria-sort]", function (head) {
        head.querySelector("button").addEventListener("click", function () { sortBy(head, table); });
      }, table);
    });
  }

  function contents() {
    var box = document.querySelector(".contents");
    if (!box) return;
    var wide = matchMedia("(min-width: 74rem)");
    function fit() { box.open = wide.matches; }
    fit();
    wide.addEventListener("change", fit);
    var links = Array.from(box.querySelectorAll("a"));
    var heads = links.map(function (a) { return document.getElementById(decodeURIComponent(a.hash.slice(1))); });
    function mark() {
      var end = innerHeight + scrollY >= root.scrollHeight - 4, at = -1;
      heads.forEach(function (h, i) { if (h && (end || h.getBoundingClientRect().top < 130)) at = i; });
      links.forEach(function (a, i) { if (i === at) a.setAttribute("aria-current", "true"); else a.removeAttribute("aria-current"); });
    }
    addEventListener("scroll", mark, { passive: true });
    mark();
  }

  function menu() {
    each(".menu", function (box) {
      document.addEventListener("click", function (event) { if (!box.contains(event.target)) box.open = false; });
      document.addEventListener("keydown", function (event) {
        if (event.key === "Escape" && box.open) { box.open = false; box.querySelector("summary").focus(); }
      });
    });
  }

  document.addEventListener("DOMContentLoaded", function () {
    theme(); code(); tables(); contents(); menu();
    each(".scroll, pre, .dataframe", function (box) { if (box.scrollWidth > box.clientWidth + 1) box.tabIndex = 0; });
  });
})();
