import eslint from '@eslint/js';
import prettier from 'eslint-config-prettier/flat';
import tseslint from 'typescript-eslint';

const readonly = (names) => Object.fromEntries(names.split(' ').map((name) => [name, 'readonly']));

const EVERYWHERE =
  'AbortController AbortSignal Blob Event EventTarget FormData URL URLSearchParams clearInterval clearTimeout console fetch performance ' +
  'queueMicrotask setInterval setTimeout structuredClone';
const NODE = `${EVERYWHERE} Buffer process setImmediate`;
const BROWSER =
  `${EVERYWHERE} CustomEvent File HTMLElement HTMLMediaElement IntersectionObserver OffscreenCanvas XMLHttpRequest cancelAnimationFrame confirm ` +
  'createImageBitmap document history localStorage location matchMedia navigator requestAnimationFrame window';

export default tseslint.config(
  { ignores: ['**/dist/**', '**/node_modules/**', '**/var/**'] },
  eslint.configs.recommended,
  tseslint.configs.strictTypeChecked,
  tseslint.configs.stylisticTypeChecked,
  {
    languageOptions: {
      parserOptions: { project: ['./tsconfig.json'], tsconfigRootDir: new URL('..', import.meta.url).pathname },
    },
    rules: {
      // `Storage` is also a global of browsers: a forgotten import must not compile in silence.
      'no-restricted-globals': ['error', { name: 'Storage', message: 'Import Storage from nestjs-storages.' }],
      '@typescript-eslint/no-extraneous-class': ['error', { allowWithDecorator: true, allowEmpty: true }],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      '@typescript-eslint/dot-notation': ['error', { allowIndexSignaturePropertyAccess: true }],
      '@typescript-eslint/unbound-method': 'off',
      // Nest declares the types of its options as classes and takes literals
      '@typescript-eslint/no-unsafe-class-instance-assignment': 'off',
    },
  },
  { files: ['**/*.js', '**/*.cjs'], extends: [tseslint.configs.disableTypeChecked] },
  { files: ['**/*.js', '**/*.cjs'], ignores: ['sample/*/public/**'], languageOptions: { globals: readonly(NODE) } },
  {
    files: ['**/*.cjs'],
    languageOptions: { sourceType: 'commonjs', globals: readonly('require module __dirname') },
    rules: { '@typescript-eslint/no-require-imports': 'off' },
  },
  {
    // the pages of the samples go to the browser as they are
    files: ['sample/*/public/**/*.js'],
    languageOptions: { globals: readonly(BROWSER) },
  },
  prettier,
);
