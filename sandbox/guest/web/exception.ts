/** DOMException, after Web IDL. */

const CODES: Record<string, number> = {
  __proto__: null as never,
  IndexSizeError: 1,
  HierarchyRequestError: 3,
  WrongDocumentError: 4,
  InvalidCharacterError: 5,
  NoModificationAllowedError: 7,
  NotFoundError: 8,
  NotSupportedError: 9,
  InUseAttributeError: 10,
  InvalidStateError: 11,
  SyntaxError: 12,
  InvalidModificationError: 13,
  NamespaceError: 14,
  InvalidAccessError: 15,
  TypeMismatchError: 17,
  SecurityError: 18,
  NetworkError: 19,
  AbortError: 20,
  URLMismatchError: 21,
  QuotaExceededError: 22,
  TimeoutError: 23,
  InvalidNodeTypeError: 24,
  DataCloneError: 25,
}

export class DOMException extends Error {
  #name = 'Error'

  constructor(message = '', options: string | { name?: string; cause?: unknown } = 'Error') {
    const named = typeof options === 'object' && options !== null
    super(`${message}`, named && 'cause' in options ? { cause: options.cause } : undefined)
    this.#name = named ? `${options.name ?? 'Error'}` : `${options}`
  }

  override get name(): string {
    return this.#name
  }

  get code(): number {
    return CODES[this.#name] ?? 0
  }
}

/** Names of codes that no exception has any more, or that are written otherwise. */
const CONSTANTS: Record<string, number> = { DOMSTRING_SIZE_ERR: 2, NO_DATA_ALLOWED_ERR: 6, VALIDATION_ERR: 16 }

const constant = (name: string): string =>
  `${name
    .slice(0, -'Error'.length)
    .replace('InUse', 'Inuse')
    .replace(/(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])/g, '_')}_ERR`.toUpperCase()
for (const [name, value] of Object.entries(CODES)) CONSTANTS[constant(name)] = value
for (const [name, value] of Object.entries(CONSTANTS))
  for (const holder of [DOMException, DOMException.prototype])
    Object.defineProperty(holder, name, { value, enumerable: true })
