use waypost::Request;

async fn get(_req: Request, _port: u16) -> String {
    String::new()
}

waypost::export!("/items": get);

fn main() {}
