import { createRequire } from 'node:module';
import { type RequestHandler, Router } from 'express';
import { isProblemCode, Problem, type ProblemCode, problems } from '../../domain/problems.js';
import { problemWords } from '../http/problem-words.js';

const require = createRequire(import.meta.url);

/** Swagger UI from its package: no other server is asked. */
const assets = {
  'swagger-ui.css': require.resolve('swagger-ui-dist/swagger-ui.css'),
  'swagger-ui-bundle.js': require.resolve('swagger-ui-dist/swagger-ui-bundle.js'),
};

const start = `window.addEventListener('load', () => {
  SwaggerUIBundle({ url: '/openapi.json', dom_id: '#docs', deepLinking: true, docExpansion: 'list', validatorUrl: null,
    defaultModelsExpandDepth: 0, tryItOutEnabled: false, displayOperationId: false });
});
`;

const style = `body { margin: 0 auto; max-width: 60rem; padding: 1rem; font: 16px/1.5 system-ui, sans-serif; }
dt { font-weight: 600; margin-top: 1rem; } code { background: #eee; padding: 0 .2em; }`;

const page = (title: string, head: string, body: string): string =>
  `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">` +
  `<title>${title}</title>${head}</head><body>${body}</body></html>`;

const docsPage = page(
  'Arcus API',
  '<link rel="icon" href="data:,"><link rel="stylesheet" href="/docs/swagger-ui.css">',
  '<div id="docs"></div><script src="/docs/swagger-ui-bundle.js"></script><script src="/docs/start.js"></script>',
);

/** The document, the page that shows it, and a page for each kind of problem, to which the `type` of an error points. */
export function docsRoutes(document: object): Router {
  const text = JSON.stringify(document);
  const router = Router();
  router.get('/openapi.json', named('/openapi.json'), (_request, response) => {
    response.type('json').send(text);
  });
  router.get('/docs', named('/docs'), (_request, response) => {
    response.type('html').send(docsPage);
  });
  router.get('/docs/start.js', named('/docs'), (_request, response) => {
    response.type('js').send(start);
  });
  for (const [name, path] of Object.entries(assets)) {
    router.get(`/docs/${name}`, named('/docs'), (_request, response) => {
      response.sendFile(path, { maxAge: '1h' });
    });
  }
  router.get('/problems', named('/problems'), (_request, response) => {
    response.type('html').send(problemsPage(Object.keys(problems).filter(isProblemCode)));
  });
  router.get('/problems/:code', named('/problems/{code}'), ({ params: { code } }, response) => {
    if (typeof code !== 'string' || !isProblemCode(code)) throw new Problem('not_found', 'No problem has this code.');
    response.type('html').send(problemsPage([code]));
  });
  return router;
}

const named =
  (template: string): RequestHandler =>
  (request, _response, next) => {
    request.template = template;
    next();
  };

function problemsPage(codes: readonly ProblemCode[]): string {
  const entries = codes.map((code) => {
    const { title, status, retryable } = problems[code];
    const { means, todo } = problemWords[code];
    const again = retryable ? ' The same request may succeed later.' : '';
    return `<dt id="${code}">${title}</dt><dd><code>${code}</code>, status ${status}<p>${html(means)}</p><p>What to do: ${html(todo)}${again}</p></dd>`;
  });
  return page(
    'Problems of the Arcus API',
    `<style>${style}</style>`,
    `<h1>Problems of the Arcus API</h1><dl>${entries.join('')}</dl><p><a href="/problems">All problems</a> · <a href="/docs">API</a></p>`,
  );
}

const html = (text: string): string =>
  text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll(/`([^`]+)`/g, '<code>$1</code>');
