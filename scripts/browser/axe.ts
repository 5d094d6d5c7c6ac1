/** What axe-core has against a page or a frame: its rules of WCAG and of good practice. */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { Frame, Page } from 'puppeteer-core'

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

/** Each violation as its rule and the elements that break it. `rules`: these alone. It does not look into frames. */
export const violationsIn = async (
  where: Page | Frame,
  rules?: readonly string[],
): Promise<[rule: string, elements: string[]][]> => {
  const options = { iframes: false, resultTypes: ['violations'], ...(rules && { runOnly: rules }) }
  if (await where.evaluate('!globalThis.axe')) await where.evaluate(AXE)
  return (await where.evaluate(
    `axe.run(${JSON.stringify(options)}).then(({ violations }) => violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)]))`,
  )) as [string, string[]][]
}
