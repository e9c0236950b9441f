"use strict";
/* The recording, the rows that lead into it, and the raw journal. Everything else on this page
   needs no script. */
(() => {
  const byId = (id) => document.getElementById(id);
  const state = { player: null, cast: -1 };

  function text(index) {
    const raw = atob(byId("cast-" + index).textContent.trim());
    const bytes = new Uint8Array(raw.length);
    for (let i = 0; i < raw.length; i++) bytes[i] = raw.charCodeAt(i);
    return new TextDecoder().decode(bytes);
  }

  function open(index) {
    if (state.cast === index) return state.player;
    if (state.player) state.player.dispose();
    const box = byId("player");
    box.textContent = "";
    state.player = AsciinemaPlayer.create({ data: () => text(index) }, box, {
      fit: "width",
      preload: true,
      poster: "npt:" + byId("cast-" + index).dataset.poster,
      terminalFontFamily: "ui-monospace, 'DejaVu Sans Mono', 'Liberation Mono', Menlo, Consolas, monospace",
    });
    state.cast = index;
    state.player.addEventListener("marker", ({ label }) => tell(label));
    const which = byId("which");
    if (which) which.value = String(index);
    return state.player;
  }

  /* What is shown now, with the way back to its row. */
  function tell(label) {
    const out = byId("shown");
    out.textContent = "";
    const line = /^#(\d+)/.exec(label);
    const row = line && byId("l" + line[1]);
    if (row) {
      const link = document.createElement("a");
      link.href = "#l" + line[1];
      link.textContent = "line " + line[1];
      const [, utc, run, , , topic, what] = [...row.cells].map((cell) => cell.textContent);
      out.append(link, ` · ${utc} UTC · ${run} · ${topic} · ${what}`);
    } else {
      out.textContent = label;
    }
  }

  function seek(link) {
    const player = open(Number(link.dataset.cast));
    document.querySelectorAll("tr.shown").forEach((row) => row.classList.remove("shown"));
    const row = link.closest("tr");
    row.classList.add("shown");
    tell("#" + row.id.slice(1));
    byId("player").scrollIntoView({ block: "center" });
    /* Whoever has not played yet sees a large sign over the picture: it goes when playing begins. */
    return player
      .play()
      .then(() => player.pause())
      .then(() => player.seek(Number(link.dataset.time)));
  }

  if (byId("player")) {
    open(0);
    document.querySelectorAll("a.seek").forEach((link) =>
      link.addEventListener("click", (event) => {
        event.preventDefault();
        seek(link);
      })
    );
    const which = byId("which");
    if (which) which.addEventListener("change", () => open(Number(which.value)));
  }

  /* In the page a `<` of the journal is written \u003c. Escapes are read from left to right, so
     that an escaped backslash before it is not taken for one. */
  function journal() {
    const told = byId("journal-data").textContent;
    return told.replace(/\\(?:u003c|[^])/g, (escape) => (escape === "\\u003c" ? "<" : escape));
  }

  byId("journal-buttons").hidden = false;
  byId("show-journal").addEventListener("click", () => {
    const raw = byId("raw-journal");
    if (!raw.textContent) raw.textContent = journal();
    raw.hidden = !raw.hidden;
    byId("show-journal").textContent = raw.hidden ? "Show it" : "Hide it";
    byId("show-journal").setAttribute("aria-expanded", String(!raw.hidden));
  });
  const save = byId("save-journal");
  save.href = "#journal";
  save.addEventListener("click", () => {
    save.href = URL.createObjectURL(new Blob([journal()], { type: "application/x-ndjson" }));
  });

  window.report = { player: () => state.player, journal };
})();
