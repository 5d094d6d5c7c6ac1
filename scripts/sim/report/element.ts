export type Child = Node | string

export const element = (tag: string, attributes: Record<string, string> = {}, children: Child[] = []): HTMLElement => {
  const made = document.createElement(tag)
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value)
  made.append(...children)
  return made
}

/** A colour of page.css, as it is now. */
export const colour = (name: string): string =>
  getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim()

/** Calls `draw` now, and whenever `box` has another width or the page other colours. */
export const whenLooksChange = (box: HTMLElement, draw: () => void): void => {
  let width = 0
  new ResizeObserver(() => {
    if (box.clientWidth === width) return
    width = box.clientWidth
    draw()
  }).observe(box)
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', draw)
}
