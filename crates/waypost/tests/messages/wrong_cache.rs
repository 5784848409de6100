async fn get() {}

waypost::export!("/items/[slug]": get; cache(
    life = "",
    revalidate = "soon",
    expire = 0,
    tags = ["posts", "post-{id}", "posts", "{"],
    query = ["*"],
    vary = ["Cookie", "a b"],
));

mod types {
    async fn get() {}

    waypost::export!("/a": get; cache(
        lifex = "hours",
        life = 1,
        revalidate = true,
        expire = 60 * 10,
        expire = -1,
        tags = "posts",
        query = [1],
    ));
}

mod times {
    async fn get() {}

    waypost::export!("/b": get; cache(revalidate = "1h", expire = 60));
}

mod tags {
    async fn get() {}

    waypost::export!("/c/[slug]": get; cache(life = "own", tags = ["a-{id}", "b-{slug}"]));
}

mod other {
    async fn get() {}

    waypost::export!("/d": get; cached());
}

fn main() {}
