import { Controller, Get, Redirect } from '@nestjs/common';

/** Whoever opens the address in a browser finds what there is. */
@Controller()
export class HomeController {
  @Get()
  @Redirect('docs')
  home(): void {
    // the decorator answers
  }
}
