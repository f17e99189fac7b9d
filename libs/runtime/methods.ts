/** By which methods each path may be asked for: a path that is there is not "not found". */
export function createMethods() {
  const routes: { pattern: RegExp; methods: string[] }[] = [];
  return {
    add(url: string, methods: string | string[]): void {
      // A path that takes whatever follows answers by itself.
      if (url.includes('*')) return;
      const parts = url.split('/').map((part) => (part.startsWith(':') ? '[^/]+' : RegExp.escape(part)));
      routes.push({ pattern: new RegExp(`^${parts.join('/')}$`), methods: [methods].flat() });
    },
    of(url: string): string[] {
      const [path = ''] = url.split('?');
      const found = routes.filter(({ pattern }) => pattern.test(path)).flatMap(({ methods }) => methods);
      return [...new Set(found)].sort();
    },
  };
}
