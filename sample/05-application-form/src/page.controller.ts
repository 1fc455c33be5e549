import { Controller, Get, Header } from '@nestjs/common';
import { PAGE_HEADERS, readPageFile } from './page.js';

/** Three files, the same way on both platforms; @nestjs/serve-static is for more than that. */
@Controller()
export class PageController {
  @Get()
  @Header('Content-Type', PAGE_HEADERS['Content-Type'])
  @Header('Content-Security-Policy', PAGE_HEADERS['Content-Security-Policy'])
  @Header('X-Content-Type-Options', PAGE_HEADERS['X-Content-Type-Options'])
  page(): string {
    return readPageFile('index.html');
  }

  @Get('form.css')
  @Header('Content-Type', 'text/css; charset=utf-8')
  styles(): string {
    return readPageFile('form.css');
  }

  @Get('form.js')
  @Header('Content-Type', 'text/javascript; charset=utf-8')
  script(): string {
    return readPageFile('form.js');
  }
}
