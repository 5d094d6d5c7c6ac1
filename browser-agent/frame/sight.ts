/** Can the badge be seen? As the browser tells this frame, which the page around it cannot change. */

/** The least that browsers allow. */
const DELAY_MS = 100
/** A pixel may be lost to rounding. */
const WHOLE = 0.97
/** Below this the page may have made the frame too small to read. */
const SCALE_MIN = 0.5
const LOOK_EVERY_MS = 1000

/** Where a browser tells what lies over an element and what changes its look, that counts too; not all of them do. */
const TELLS = 'isVisible' in IntersectionObserverEntry.prototype

/** Calls `changed` when `element` comes into view or is out of it, as long as a person looks at the page at all. */
export const watchSight = (element: Element, changed: (seen: boolean) => void): void => {
  let whole = true
  let told = true
  const tell = () => {
    const roomy = innerWidth > 0 && innerHeight > 0 && devicePixelRatio >= SCALE_MIN
    const seen = whole && roomy
    if (document.hidden || seen === told) return
    told = seen
    changed(seen)
  }
  const look = (entries: readonly IntersectionObserverEntry[]) => {
    const last = entries.at(-1) as IntersectionObserverEntry & { isVisible?: boolean }
    whole = last.intersectionRatio >= WHOLE && (!TELLS || last.isVisible === true)
    tell()
  }
  const options = { threshold: [0, 0.5, WHOLE, 1], trackVisibility: true, delay: DELAY_MS }
  new IntersectionObserver(look, options as IntersectionObserverInit).observe(element)
  setInterval(tell, LOOK_EVERY_MS)
  document.addEventListener('visibilitychange', tell)
}
