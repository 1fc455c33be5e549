const button = document.querySelector('#more');

/** How far below the window the end of the list may be when the next page is asked for, in CSS pixels. */
const AHEAD = '800px';

/**
 * Asks for one page after the other as the end of the list comes near, or by its button. `load()` gives `more`, `end`, or `failed`, after which
 * only the button asks again.
 */
export class Pager {
  #load;
  #loading = false;
  // The last entry is how it stands; those before it are of moments that have passed.
  #observer = new IntersectionObserver((entries) => entries.at(-1).isIntersecting && this.more(), {
    rootMargin: AHEAD,
  });

  constructor(load) {
    this.#load = load;
    button.addEventListener('click', () => this.more());
  }

  async more() {
    if (this.#loading) return;
    this.#loading = true;
    // Observed anew, it tells again whether the end is near: a page may be shorter than the window.
    this.#observer.disconnect();
    const result = await this.#load();
    this.#loading = false;
    button.hidden = result === 'end';
    if (result === 'more') this.#observer.observe(button);
  }
}
