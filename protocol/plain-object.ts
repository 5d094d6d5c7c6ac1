/** Plain objects whose keys come from strangers. */

export const isPlainObject = (x: object): x is Record<string, unknown> => {
  const prototype: unknown = Object.getPrototypeOf(x)
  return prototype === Object.prototype || prototype === null
}

/** Sets an own property, also where the key is `__proto__` and an assignment would change the prototype instead. */
export const define = (record: { [key: string]: unknown }, key: string, value: unknown): void => {
  if (key === '__proto__')
    Object.defineProperty(record, key, { value, enumerable: true, writable: true, configurable: true })
  else record[key] = value
}
