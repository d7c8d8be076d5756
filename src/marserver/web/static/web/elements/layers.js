// Images in the viewer: each is a layer of OpenSeadragon, placed on the first one, whose width is 1.
export class Layer {
  constructor(viewer, url, info, base = info) {
    Object.assign(this, { viewer, url, info, base, opacity: 0, item: null });
  }
  // Show it with these limits and curve; what was there stays until the new pixels have come
  draw(choice) {
    const source = this.info.media ? this.ready() : this.tiles("tile", `low=${choice.low}&high=${choice.high}&stretch=${choice.stretch}&invert=${choice.invert}&v=${this.info.version}`);
    if (this.source === (this.source = JSON.stringify([source, source.address]))) return Promise.resolve();
    return this.add(source, 0);
  }
  // The mask of this image, seen where the image is; it is there before, so that both blink together
  cover(bits, on) {
    this.mask ??= new Layer(this.viewer, this.url, this.info, this.base);
    this.mask.drawMask(this.info.mask ? bits : 0, on);
  }
  drawMask(bits, on) {
    if (bits === this.bits) return this.show(on);
    this.bits = bits;
    if (!bits) return this.remove();
    this.opacity = on ? 1 : 0;
    return this.add(this.tiles("mask", `bits=${bits}&v=${this.info.version}`), undefined);
  }
  ready() { return this.info.media.endsWith(".dzi") ? this.info.media : { type: "image", url: this.info.media }; }
  tiles(kind, address) {
    const { width, height, tile, levels } = this.info;
    return {
      width, height, tileSize: tile, tileOverlap: 0, maxLevel: levels, address,
      minLevel: Math.max(0, levels - Math.ceil(Math.log2(Math.max(1, Math.max(width, height) / tile)))),
      getTileUrl: (level, x, y) => `${this.url}/${kind}/${level}/${x}_${y}?${address}`,
    };
  }
  add(tileSource, index) {
    const placed = this.info.placed, width = this.base.width;
    const place = placed ? { x: placed.x / width, y: placed.y / width, width: placed.width / width, degrees: placed.degrees } : { x: 0, y: 0, width: 1 };
    const turn = (this.turn = (this.turn || 0) + 1);
    return new Promise((done, failed) => this.viewer.addTiledImage({
      tileSource, index, ...place, opacity: this.opacity, preload: true,
      success: ({ item }) => {
        if (turn !== this.turn) return done(this.viewer.world.removeItem(item));
        const old = this.item;
        this.item = item;
        item.setOpacity(this.opacity);
        if (old) this.replace(old, item);
        done();
      },
      error: ({ message }) => failed(new Error(message)),
    }));
  }
  replace(old, item) {
    const gone = () => { clearTimeout(late); item.removeHandler("fully-loaded-change", gone); if (this.viewer.world.getIndexOfItem(old) >= 0) this.viewer.world.removeItem(old); };
    const late = setTimeout(gone, 8000);
    item.addHandler("fully-loaded-change", gone);
  }
  show(on) { this.opacity = on ? 1 : 0; this.item?.setOpacity(this.opacity); this.mask?.show(on); }
  remove() {
    this.mask?.remove();
    this.turn = (this.turn || 0) + 1;
    if (this.item) this.viewer.world.removeItem(this.item);
    this.item = this.source = null;
  }
  // FITS pixels (the first one is 1, 1; y upwards) of a point of the viewport, and back to pixels of the screen
  fits(point) {
    const at = this.item.viewportToImageCoordinates(point).divide(this.shrunk());
    return { x: at.x + 0.5, y: this.info.height - at.y + 0.5 };
  }
  screen(x, y) { return this.item.imageToViewerElementCoordinates(this.pixel(x, y)); }
  viewport(x, y) { return this.item.imageToViewportCoordinates(this.pixel(x, y)); }
  pixel(x, y) { return new OpenSeadragon.Point(x - 0.5, this.info.height - y + 0.5).times(this.shrunk()); }
  // A colour picture may have fewer pixels than the tiles it is measured in
  shrunk() { return this.item.getContentSize().x / this.info.width; }
  zoom(pixels) { return this.item.imageToViewportZoom(pixels / this.shrunk()); }
  zoomed(zoom) { return this.item.viewportToImageZoom(zoom) * this.shrunk(); }
}
