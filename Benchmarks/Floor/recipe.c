// SPDX-License-Identifier: Apache-2.0
// Part of the AICO Task Supervisor
//
// The command line: what the benchmark read from the class's plan, in words.
#include "floor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static _Noreturn void refuse(const char *word) {
    // Standard error is the benchmark's socket too: it reads this as an answer of another length.
    dprintf(ORDERS_FD, "the floor does not understand '%s'", word);
    _exit(64);
}

static const char *next(char ***words) {
    if (!**words) refuse("(the end)");
    return *(*words)++;
}

static uint64_t next_number(char ***words) { return strtoull(next(words), NULL, 0); }

static void *room(void *array, size_t size, size_t *count, size_t most) {
    if (*count == most) refuse("(too many)");
    return (char *)array + size * (*count)++;
}

#define ROOM(array, count) room(array, sizeof *(array), &(count), sizeof(array) / sizeof *(array))

static void read_mount(struct recipe *recipe, char ***words) {
    struct floor_mount *mount = ROOM(recipe->mounts, recipe->mount_count);
    mount->type = next(words);
    mount->target = next(words);
    mount->options = next(words);
    mount->flags = next_number(words);
}

static void read_rule(struct recipe *recipe, char ***words, int is_own) {
    struct floor_rule *rule = ROOM(recipe->rules, recipe->rule_count);
    rule->path = next(words);
    rule->rights = next_number(words);
    rule->is_own = is_own;
}

static void read_limit(struct recipe *recipe, char ***words, int is_optional) {
    struct floor_limit *limit = ROOM(recipe->limits, recipe->limit_count);
    limit->tree = (unsigned)next_number(words);
    limit->file = next(words);
    limit->text = next(words);
    limit->is_optional = is_optional;
}

static void read_handled(struct recipe *recipe, char ***words) {
    size_t count = 0;
    for (; count < 3; count++) recipe->handled[count] = next_number(words);
    // Of an older kernel the later ones are none, and unknown to it.
    while (count > 1 && recipe->handled[count - 1] == 0) count--;
    recipe->handled_size = count * sizeof *recipe->handled;
    recipe->plain_files = next_number(words);
}

void read_recipe(struct recipe *recipe, char **words) {
    while (*words) {
        const char *word = *words++;
        if (strcmp(word, "mount") == 0) read_mount(recipe, &words);
        else if (strcmp(word, "rule") == 0) read_rule(recipe, &words, 0);
        else if (strcmp(word, "own-rule") == 0) read_rule(recipe, &words, 1);
        else if (strcmp(word, "limit") == 0) read_limit(recipe, &words, 0);
        else if (strcmp(word, "optional-limit") == 0) read_limit(recipe, &words, 1);
        else if (strcmp(word, "handled") == 0) read_handled(recipe, &words);
        else if (strcmp(word, "open-files") == 0) recipe->open_files = next_number(&words);
        else if (strcmp(word, "file-size") == 0) recipe->file_size = next_number(&words);
        else if (strcmp(word, "file-mask") == 0) recipe->file_mask = (mode_t)next_number(&words);
        else if (strcmp(word, "program") == 0) recipe->program = next(&words);
        else if (strcmp(word, "forbidden") == 0) recipe->forbidden = next(&words);
        else refuse(word);
    }
}
