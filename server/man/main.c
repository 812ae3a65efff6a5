// SPDX-License-Identifier: MIT
// Prints the table of taud's options as JSON, and what else its help says. The build runs it and
// makes the manual page and completions of what it prints; it is not installed. It knows no option
// by itself.
#include "config/command.h"
#include "config/config.h"

#include <stdio.h>

static void print_text(const char *text)
{
    putchar('"');
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\')
            printf("\\%c", *text);
        else if ((unsigned char)*text < 0x20)
            printf("\\u%04x", *text);
        else
            putchar(*text);
    }
    putchar('"');
}

static void print_member(const char *name, const char *text)
{
    printf("\"%s\": ", name);
    print_text(text);
    fputs(", ", stdout);
}

static void print_choices(const char *const *choices)
{
    fputs("\"choices\": [", stdout);
    for (size_t i = 0; choices != NULL && choices[i] != NULL; i++) {
        fputs(i > 0 ? ", " : "", stdout);
        print_text(choices[i]);
    }
    putchar(']');
}

static void print_option(const struct taud_config_option *option)
{
    putchar('{');
    print_member("name", option->name);
    print_member("argument", option->argument);
    print_member("environment", option->environment);
    print_member("allowed", option->allowed);
    print_member("standard", option->standard);
    print_member("help", option->help);
    print_choices(option->choices);
    printf(", \"repeated\": %s}", option->repeated ? "true" : "false");
}

static void print_commands(void)
{
    struct taud_command_text text;
    const struct taud_command_option *option = taud_command_option();
    fputs("\"commands\": [", stdout);
    for (size_t index = 0; taud_command_text(index, &text); index++) {
        fputs(index > 0 ? ",\n  {" : "\n  {", stdout);
        print_member("name", text.name);
        print_member("argument", text.argument);
        fputs("\"help\": ", stdout);
        print_text(text.help);
        putchar('}');
    }
    fputs("],\n  \"command_option\": {", stdout);
    print_member("name", option->name);
    print_member("argument", option->argument);
    print_member("help", option->help);
    print_choices(option->choices);
    fputs("},\n  ", stdout);
}

int main(void)
{
    struct taud_config_option option;
    putchar('{');
    print_member("version", TAU_VERSION);
    print_member("about", taud_config_about());
    fputs("\"sections\": [", stdout);
    for (size_t index = 0; index < TAUD_CONFIG_SECTION_COUNT; index++) {
        const struct taud_config_section *section = taud_config_section(index);
        fputs(index > 0 ? ", {" : "{", stdout);
        print_member("title", section->title);
        fputs("\"text\": ", stdout);
        print_text(section->text);
        putchar('}');
    }
    fputs("],\n  ", stdout);
    print_commands();
    fputs("\"options\": [", stdout);
    for (size_t index = 0; taud_config_option(index, &option); index++) {
        fputs(index > 0 ? ",\n  " : "\n  ", stdout);
        print_option(&option);
    }
    fputs("]}\n", stdout);
    return ferror(stdout) || fclose(stdout) != 0;
}
