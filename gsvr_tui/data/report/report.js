(function () {
  "use strict";
  var video = document.querySelector("video");
  if (!video) { return; }
  var usable = true;
  var playhead = document.getElementById("playhead");
  var entries = Array.prototype.slice.call(document.querySelectorAll("article[data-start]"));
  var starts = entries.map(function (entry) { return Number(entry.dataset.start); });
  var ends = entries.map(function (entry, index) {
    return entry.dataset.end ? Number(entry.dataset.end) : starts[index] + 15;
  });
  var current = [];

  function fail() {
    usable = false;
    document.documentElement.classList.add("no-video");
  }
  video.addEventListener("error", fail);
  if (video.error) { fail(); }

  document.addEventListener("click", function (event) {
    var link = event.target.closest("a[data-t]");
    if (!link || !usable || event.button || event.ctrlKey || event.metaKey || event.shiftKey) { return; }
    event.preventDefault();
    video.currentTime = Number(link.dataset.t);
    var playing = video.play();
    if (playing && playing.catch) { playing.catch(function () {}); }
  });

  video.addEventListener("timeupdate", function () {
    var now = video.currentTime + 0.05;
    if (playhead && video.duration) {
      playhead.setAttribute("x", String(1000 * video.currentTime / video.duration));
      playhead.setAttribute("visibility", "visible");
    }
    var last = {};
    entries.forEach(function (entry, index) {
      if (starts[index] <= now && now < ends[index]) { last[entry.parentNode.id] = entry; }
    });
    var next = Object.keys(last).map(function (key) { return last[key]; });
    current.forEach(function (entry) { if (next.indexOf(entry) < 0) { entry.classList.remove("now"); } });
    next.forEach(function (entry) { entry.classList.add("now"); });
    current = next;
  });
})();
