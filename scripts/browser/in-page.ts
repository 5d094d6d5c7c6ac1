/** Asks the functions that a page has put on `globalThis`. */
import type { Page } from 'puppeteer-core'
import { isErrorCode, MeshError } from '../../protocol/errors.ts'

type Answered = { value: unknown } | { code?: string; message: string }

/** Calls `path`, such as `ports.stored.get`, with JSON; an error comes back with its code. */
export const callIn = async <T>(page: Page, path: string, ...given: unknown[]): Promise<T> => {
  const script = `(async () => {
    while (!globalThis[${JSON.stringify(path.split('.')[0])}]) await new Promise((resolve) => setTimeout(resolve, 10))
    try {
      return JSON.stringify({ value: await globalThis.${path}(...${JSON.stringify(given)}) })
    } catch (error) {
      return JSON.stringify({ code: error.code, message: String(error.message) })
    }
  })()`
  const answered = JSON.parse((await page.evaluate(script)) as string) as Answered
  if (!('message' in answered)) return answered.value as T
  const { code, message } = answered
  throw isErrorCode(code) ? new MeshError(code, message) : new Error(message)
}
